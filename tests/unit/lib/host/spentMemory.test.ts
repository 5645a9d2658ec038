import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SpentMemory } from '../../../../lib/host/spentMemory.ts';

const MIB = 1024 * 1024;

describe('SpentMemory', () => {
  let now: {
    resident: number;
    needed: number;
    heap: number;
    busy: number;
    released: number;
    rested: number;
  };
  let spent: SpentMemory;
  beforeEach(() => {
    jest.useFakeTimers();
    now = { resident: 80, needed: 80, heap: 20, busy: 0, released: 0, rested: 0 };
    spent = new SpentMemory({
      resident: () => now.resident * MIB,
      heapUsed: () => now.heap * MIB,
      busyPart: () => now.busy,
      release: () => {
        now.released += 1;
        now.resident = now.needed;
      },
      rest: async () => {
        now.rested += 1;
        now.resident = now.needed - 30;
      },
    });
    spent.worked();
    jest.advanceTimersByTime(1000);
  });
  afterEach(() => {
    spent.close();
    jest.useRealTimers();
  });

  /** Some seconds with a little work in each. */
  const seconds = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      spent.worked();
      jest.advanceTimersByTime(1000);
    }
  };

  it('gives back what much work has left when there is little to do, once', () => {
    now.resident = 250;
    now.busy = 0.9;
    seconds(3);
    expect(now.released).toBe(0);
    now.busy = 0.1;
    seconds(3);
    expect([now.released, now.resident]).toEqual([1, 80]);
  });

  it('waits five seconds for little work, then takes the time with some, and none with much', () => {
    now.resident = 250;
    now.busy = 0.6;
    seconds(5);
    expect(now.released).toBe(0);
    now.busy = 0.9;
    seconds(3);
    expect(now.released).toBe(0);
    now.busy = 0.6;
    seconds(1);
    expect(now.released).toBe(1);
  });

  it('leaves alone what is a little more, and a heap that takes long to look through', () => {
    now.resident = 120;
    seconds(2);
    now.resident = 500;
    now.heap = 300;
    seconds(2);
    expect(now.released).toBe(0);
  });

  it('does not try again and again for what is needed', () => {
    now.resident = 250;
    now.needed = 240;
    seconds(5);
    expect(now.released).toBe(1);
  });

  it('rests when there was no work for a while, and then looks no more until there is some', () => {
    jest.advanceTimersByTime(6000);
    expect([now.rested, jest.getTimerCount()]).toEqual([0, 1]);
    jest.advanceTimersByTime(1000);
    expect([now.rested, now.resident]).toEqual([1, 50]);
    expect(jest.getTimerCount()).toBe(0);
    now.resident = 250;
    seconds(1);
    expect(now.released).toBe(1);
  });

  it('does not rest between works that follow each other', () => {
    for (let i = 0; i < 10; i += 1) {
      seconds(1);
      jest.advanceTimersByTime(6000);
    }
    expect(now.rested).toBe(0);
  });

  it('rests again when work has taken more memory, and not for a few questions', async () => {
    await jest.advanceTimersByTimeAsync(60_000);
    const before = now.rested;
    now.resident += 5;
    seconds(1);
    jest.advanceTimersByTime(60_000);
    expect([now.rested - before, jest.getTimerCount()]).toEqual([0, 0]);
    now.resident += 5;
    seconds(1);
    jest.advanceTimersByTime(7000);
    expect([now.rested - before, now.resident]).toEqual([1, 50]);
  });

  it('leaves a heap alone that takes long to look through, at rest too', () => {
    now.heap = 300;
    jest.advanceTimersByTime(60_000);
    expect([now.rested, jest.getTimerCount()]).toEqual([0, 0]);
  });
});
