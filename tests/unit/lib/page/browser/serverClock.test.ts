import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ServerClock } from '../../../../../lib/page/browser/serverClock.ts';

const HOUR = 3_600_000;
const NOON = Date.parse('2026-11-29T12:00:00.400Z');
const date = (ms: number) => new Date(ms).toUTCString();

describe('the time of the server', () => {
  let clock: ServerClock;
  beforeEach(() => {
    jest.useFakeTimers({ now: NOON });
    clock = new ServerClock();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([2 * HOUR, -2 * HOUR])('is that of its answers, where it is %d ms ahead', (ahead) => {
    clock.heard(date(NOON + ahead), NOON - 30);
    expect(Math.abs(clock.now() - NOON - ahead)).toBeLessThan(2000);
    const { ahead: known } = clock;
    clock.heard(date(NOON + ahead), NOON - 30);
    expect(clock.ahead).toBe(known);
  });

  it('is the time here where an answer does not tell another one', () => {
    clock.heard(date(NOON), NOON - 30);
    clock.heard(date(NOON - 1000), NOON - 1500);
    // One that was long on its way.
    clock.heard(date(NOON - 20_000), NOON - 21_000);
    clock.heard(null, NOON);
    clock.heard('yesterday', NOON);
    expect(clock.now()).toBe(NOON);
  });

  it('is that of the next answer when the clock here is set', () => {
    clock.heard(date(NOON), NOON);
    jest.setSystemTime(NOON + HOUR);
    clock.heard(date(NOON + 1000), NOON + HOUR);
    expect(Math.abs(clock.now() - NOON - 1000)).toBeLessThan(2000);
  });
});
