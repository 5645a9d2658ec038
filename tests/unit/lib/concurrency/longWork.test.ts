import { describe, expect, it } from '@jest/globals';
import { LongWork } from '../../../../lib/concurrency/longWork.ts';

function begin(signal = new AbortController().signal) {
  let hasPaused = false;
  const work = new LongWork({
    client: { signal },
    onPause: () => {
      hasPaused = true;
    },
  });
  return { work, hasPaused: () => hasPaused };
}

describe('the work of a request', () => {
  it('says when it is not done at once', async () => {
    const { work, hasPaused } = begin();
    expect(hasPaused()).toBe(false);
    await work.turn();
    expect(hasPaused()).toBe(true);
    work.end();
  });

  it('goes on four at a time when it is long; the next one begins when one has ended', async () => {
    const works = Array.from({ length: 6 }, () => begin().work);
    const going: number[] = [];
    const all = works.map(async (work, i) => {
      for (let turn = 0; turn < 4; turn += 1) await work.turn();
      going.push(i);
    });
    await Promise.all(all.slice(0, 4));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(going).toEqual([0, 1, 2, 3]);
    works[1]?.end();
    works[1]?.end();
    await all[4];
    expect(going).toEqual([0, 1, 2, 3, 4]);
    for (const work of works) work.end();
    await Promise.all(all);
    works[5]?.end();
  });

  it('ends when its client has gone, unless it is to be done to the end', async () => {
    const client = new AbortController();
    const { work } = begin(client.signal);
    await work.turn();
    client.abort();
    await expect(work.turn()).rejects.toMatchObject({ code: 'busy' });
    await work.toTheEnd().turn();
    work.end();
  });
});
