import { describe, expect, it } from '@jest/globals';
import { TakenNames } from '../../../swarm/takenNames.ts';

const HOUR = 3_600_000;

describe('TakenNames', () => {
  it('asks the engine again for each one who wants to know for certain', async () => {
    const answers = [['a'], ['a', 'b']];
    const names = new TakenNames(async () => new Set(answers.shift()));
    expect(await names.has('b', 0)).toBe(false);
    expect(await names.has('b', 0)).toBe(true);
  });

  it('believes a list for as long as it is told', async () => {
    let asked = 0;
    const names = new TakenNames(async () => {
      asked += 1;
      return new Set(['a']);
    });
    expect(await names.has('a', HOUR)).toBe(true);
    expect(await names.has('b', HOUR)).toBe(false);
    expect(asked).toBe(1);
  });

  it('asks once for many who ask at the same time', async () => {
    let asked = 0;
    const names = new TakenNames(async () => {
      asked += 1;
      return new Set(['a']);
    });
    await Promise.all(Array.from({ length: 20 }, () => names.has('a', 0)));
    // The first, and all who came while it was being asked.
    expect(asked).toBe(2);
  });

  it('tells that the engine is away, and asks again next time', async () => {
    const answers = [Promise.reject(new Error('away')), Promise.resolve(new Set(['a']))];
    const names = new TakenNames(async () => answers.shift() ?? new Set());
    await expect(names.has('a', HOUR)).rejects.toThrow('away');
    expect(await names.has('a', HOUR)).toBe(true);
  });
});
