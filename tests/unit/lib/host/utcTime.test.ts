import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { utcTime } from '../../../../lib/host/utcTime.ts';

/** As far from 1970 as a Date can be, in milliseconds. */
const FARTHEST = 8_640_000_000_000_000;

describe('utcTime', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [86_399_999, '1970-01-01T23:59:59.999Z'],
    [86_400_000, '1970-01-02T00:00:00.000Z'],
    [1_790_015_538_096.567, '2026-09-21T18:32:18.096Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
  ])('shows %d ms after 1970 as %s', (epochMs, text) => {
    expect(utcTime(epochMs)).toBe(text);
  });

  it('shows every time as a Date does, whatever was shown before', () => {
    const times = fc.double({ min: -FARTHEST, max: FARTHEST, noNaN: true });
    fc.assert(
      fc.property(fc.array(times, { minLength: 1 }), (list) => {
        expect(list.map(utcTime)).toEqual(list.map((one) => new Date(one).toISOString()));
      }),
    );
  });

  it('takes no time that a Date cannot have', () => {
    expect(() => utcTime(Number.NaN)).toThrow(RangeError);
    expect(() => utcTime(FARTHEST + 86_400_000)).toThrow(RangeError);
    expect(utcTime(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});
