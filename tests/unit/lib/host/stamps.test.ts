import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compactStamp, newJobRoot, readableStamp } from '../../../../lib/host/stamps.ts';
import { isJobRoot } from '../../../../lib/tree/paths.ts';

/** A moment in local time, in milliseconds. */
const at = (ms: number) => new Date(2026, 0, 2, 3, 4, 5).getTime() + ms;

describe('compactStamp and readableStamp', () => {
  it.each([
    [0, '000000'],
    [7, '007000'],
    [999, '999000'],
    [0.001, '000001'],
    [12.345, '012345'],
    [999.999, '999999'],
  ])('show %d ms after the second as its microseconds .%s', (ms, micros) => {
    expect(compactStamp(at(ms))).toBe(`20260102030405.${micros}`);
    expect(readableStamp(at(ms))).toBe(`2026-01-02 03:04:05.${micros}`);
  });

  it('never show a second of 1,000,000 microseconds', () => {
    expect(compactStamp(at(999.9999))).toBe('20260102030406.000000');
  });
});

describe('newJobRoot', () => {
  it('names jobs so that they sort in the order in which they were made', () => {
    const start = Date.now();
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 3, noNaN: true })), (delays) => {
        const roots = delays.map((delay) => newJobRoot(start + delay));
        expect(roots.every(isJobRoot)).toBe(true);
        expect([...roots].sort()).toEqual(roots);
      }),
    );
  });

  it('gives a thousand jobs of one moment a microsecond each', () => {
    const start = Date.now() + 60_000;
    const roots = Array.from({ length: 1000 }, () => newJobRoot(start));
    expect(new Set(roots.map((root) => root.split('_')[0])).size).toBe(1000);
    expect([...roots].sort()).toEqual(roots);
    expect(roots[0]?.split('_')[0]).toBe(compactStamp(start));
    expect(roots[999]?.split('_')[0]).toBe(compactStamp(start + 0.999));
  });
});
