import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { KillRequest } from '../../../../crunner/job/killRequest.ts';
import { timeLimit } from '../../../../crunner/job/timeLimit.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('a time limit', () => {
  let orders: KillRequest[];
  beforeEach(() => {
    orders = [];
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const watch = (startedAt: number, timeoutMs: number) =>
    timeLimit(startedAt, timeoutMs, (order) => orders.push(order));

  it('ends a job when its time is over, which counts from its start', () => {
    watch(Date.now() - 3000, 10_000);
    jest.advanceTimersByTime(6900);
    expect(orders).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(orders).toEqual([{ signal: 'SIGTERM', graceMs: 5000, cause: 'time limit 10 s' }]);
  });

  it('ends a job at once whose time was over before anyone looked', () => {
    watch(Date.now() - 3000, 1000);
    jest.advanceTimersByTime(1);
    expect(orders).toHaveLength(1);
  });

  it('may be longer than a timer can be, which is 24 days', () => {
    watch(Date.now(), 60 * DAY_MS);
    jest.advanceTimersByTime(59 * DAY_MS);
    expect(orders).toEqual([]);
    jest.advanceTimersByTime(1.1 * DAY_MS);
    expect(orders).toHaveLength(1);
  });

  it('is no matter any more once the job has ended', () => {
    const end = watch(Date.now(), 1000);
    end();
    jest.advanceTimersByTime(2000);
    expect(orders).toEqual([]);
  });
});
