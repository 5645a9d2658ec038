import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { withEchoes } from '../../../../swarm/service/echoes.ts';

describe('withEchoes', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('tells of a change at once, and three times within the next second', () => {
    const told: string[] = [];
    const tell = withEchoes((name) => told.push(name), new AbortController().signal);
    tell('a');
    expect(told).toEqual(['a']);
    jest.advanceTimersByTime(100);
    expect(told).toHaveLength(2);
    jest.advanceTimersByTime(180);
    expect(told).toHaveLength(3);
    jest.advanceTimersByTime(400);
    expect(told).toHaveLength(4);
    jest.advanceTimersByTime(10_000);
    expect(told).toEqual(['a', 'a', 'a', 'a']);
  });

  it('tells nothing more once the signal is given', () => {
    const told: string[] = [];
    const over = new AbortController();
    const tell = withEchoes((name) => told.push(name), over.signal);
    tell('a');
    over.abort();
    tell('b');
    expect(jest.getTimerCount()).toBe(0);
    expect(told).toEqual(['a']);
  });
});
