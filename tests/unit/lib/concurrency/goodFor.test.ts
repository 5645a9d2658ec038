import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { goodFor } from '../../../../lib/concurrency/goodFor.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

it('gives all who ask meanwhile one look, and looks again when its time is over', async () => {
  let looks = 0;
  const look = goodFor(1000, async () => {
    looks += 1;
    return looks;
  });
  expect(await Promise.all([look(), look()])).toEqual([1, 1]);
  jest.advanceTimersByTime(1000);
  expect(await look()).toBe(1);
  jest.advanceTimersByTime(1);
  expect(await look()).toBe(2);
});
