import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SpentMemory } from '../../../../lib/host/spentMemory.ts';

const MIB = 1024 * 1024;

describe('SpentMemory', () => {
  let now: { resident: number; needed: number; heap: number; busy: number; released: number };
  let spent: SpentMemory;
  beforeEach(() => {
    jest.useFakeTimers();
    now = { resident: 80, needed: 80, heap: 20, busy: 0, released: 0 };
    spent = new SpentMemory({
      resident: () => now.resident * MIB,
      heapUsed: () => now.heap * MIB,
      busyPart: () => now.busy,
      release: () => {
        now.released += 1;
        now.resident = now.needed;
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

  it('looks no more when there is no work, and again with the next', () => {
    jest.advanceTimersByTime(1000);
    expect(jest.getTimerCount()).toBe(0);
    now.resident = 250;
    seconds(1);
    expect(now.released).toBe(1);
  });
});
