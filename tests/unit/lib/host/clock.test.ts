import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { preciseNow } from '../../../../lib/host/clock.ts';

describe('preciseNow', () => {
  it('is the time of the clock, with fractions', () => {
    expect(Math.abs(preciseNow() - Date.now())).toBeLessThan(1000);
    const moments = Array.from({ length: 20 }, preciseNow);
    expect(moments.some((moment) => moment % 1 !== 0)).toBe(true);
  });
});

describe('preciseNow, when the clock is set,', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([3_600_000, -3_600_000])('goes with it (%d ms)', (stepMs) => {
    const real = Date.now.bind(Date);
    // The least of some: a busy machine may leave this process between the two clocks.
    const offMs = (stepMs: number) =>
      Math.min(...Array.from({ length: 20 }, () => Math.abs(preciseNow() - real() - stepMs)));
    expect(offMs(0)).toBeLessThan(60);
    jest.spyOn(Date, 'now').mockImplementation(() => real() + stepMs);
    expect(offMs(stepMs)).toBeLessThan(60);
    jest.restoreAllMocks();
    expect(offMs(0)).toBeLessThan(60);
  });
});
