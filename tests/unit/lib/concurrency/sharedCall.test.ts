import { describe, expect, it } from '@jest/globals';
import { sharedCall } from '../../../../lib/concurrency/sharedCall.ts';

describe('sharedCall', () => {
  it('answers those who come during a question with the next one, all together', async () => {
    const answers: Array<(value: number) => void> = [];
    const ask = sharedCall(() => new Promise<number>((resolve) => answers.push(resolve)));
    const first = ask();
    const later = [ask(), ask(), ask()];
    expect(answers.length).toBe(1);
    answers[0]?.(1);
    expect(await first).toBe(1);
    await new Promise(setImmediate);
    expect(answers.length).toBe(2);
    answers[1]?.(2);
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
  });

  it('asks again after a failure', async () => {
    let count = 0;
    const ask = sharedCall(async () => {
      count += 1;
      if (count === 1) throw new Error('away');
      return count;
    });
    const first = ask();
    const second = ask();
    await expect(first).rejects.toThrow('away');
    expect(await second).toBe(2);
  });
});
