import { describe, expect, it } from '@jest/globals';
import { whenThere } from '../../../../lib/concurrency/soon.ts';

describe('whenThere', () => {
  it('goes on at once with what is there', () => {
    expect(whenThere(2, (value) => value + 1)).toBe(3);
    expect(() =>
      whenThere(2, () => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
  });

  it('waits for what comes', async () => {
    const later = whenThere(Promise.resolve(2), (value) => value + 1);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(3);
    await expect(whenThere(Promise.reject(new Error('late')), () => 1)).rejects.toThrow('late');
  });
});
