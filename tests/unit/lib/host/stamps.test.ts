import { describe, expect, it } from '@jest/globals';
import { compactStamp, readableStamp, stampTime, timeIn } from '../../../../lib/host/stamps.ts';

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

describe('stampTime', () => {
  it('reads back what compactStamp has written', () => {
    expect(stampTime(compactStamp(at(12.345)))).toBeCloseTo(at(12.345), 3);
  });

  it.each([
    ['2026-11-22T06:05:04Z', Date.UTC(2026, 10, 22, 6, 5, 4)],
    ['2026-11-22T06:05:04.123456789Z', Date.UTC(2026, 10, 22, 6, 5, 4, 123)],
    ['0001-01-01T00:00:00Z', undefined],
    ['1970-01-01T00:00:00Z', undefined],
    ['', undefined],
    [null, undefined],
  ])('takes %s of an engine for its time', (text, time) => {
    expect(timeIn(text)).toBe(time);
  });

  it.each([
    ['2026', new Date(2026, 0, 1)],
    ['202611', new Date(2026, 10, 1)],
    ['2026112', new Date(2026, 10, 20)],
    ['2026112206', new Date(2026, 10, 22, 6)],
  ])('takes %s for the first moment that begins so', (stamp, date) => {
    expect(stampTime(stamp)).toBe(date.getTime());
  });
});
