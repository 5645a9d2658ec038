import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compactStamp } from '../../../../lib/host/stamps.ts';
import { isJobRoot, newJobRoot } from '../../../../lib/records/jobRoot.ts';

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

describe('isJobRoot', () => {
  it.each(['20261122063520.151489_7423dd61-31d2-4e6d-be15-e32e0c01f44d', newJobRoot(Date.now())])(
    'knows %s',
    (name) => {
      expect(isJobRoot(name)).toBe(true);
    },
  );

  it.each([
    '',
    '20261122063520_7423dd61-31d2-4e6d-be15-e32e0c01f44d',
    '20261122063520.151489_7423dd61-31d2-4e6d-be15-e32e0c01f44d/..',
    '20261122063520.151489_7423dd61-31d2-4e6d-be15-e32e0c01f44d\n',
    '.drafts',
  ])('knows %j for none', (name) => {
    expect(isJobRoot(name)).toBe(false);
  });
});
