import { setInterval as every } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { WritePace } from '../../../../lib/records/writePace.ts';

const RUSH = { isUrgent: false, ended: 1000 };

/** Has jobs end, one hundred each 10 ms, until a pause is over or so many times; says how often. */
async function rush(pace: WritePace, paused: Promise<void>, most: number): Promise<number> {
  let isOver = false;
  void paused.then(() => {
    isOver = true;
  });
  let times = 0;
  for await (const _ of every(10)) {
    if (isOver || times === most) break;
    for (let k = 0; k < 100; k += 1) pace.jobEnded();
    times += 1;
  }
  return times;
}

it('leaves the records for later while jobs end one after the other, but not for good', async () => {
  const pace = new WritePace();
  pace.begin();
  const paused = pace.pause(() => RUSH);
  // Longer than a pause beside other work, which lasts for 10 of these.
  expect(await rush(pace, paused, 15)).toBe(15);
  expect(await rush(pace, paused, 10_000)).toBeLessThan(10_000);
  await paused;
});

it('goes on soon once no more jobs end, and when somebody waits for it', async () => {
  const pace = new WritePace();
  pace.begin();
  await pace.pause(() => RUSH);
  let backlog = RUSH;
  const paused = pace.pause(() => backlog);
  await rush(pace, paused, 5);
  backlog = { ...RUSH, isUrgent: true };
  // It would be 100 times in the pause of a rush.
  expect(await rush(pace, paused, 10_000)).toBeLessThan(60);
  await paused;
});

it('writes longer at a time when there is too much', async () => {
  const pace = new WritePace();
  pace.begin();
  let isLong = false;
  // A busy machine may keep this process from running for longer than one of these.
  for (let times = 0; times < 50 && !isLong; times += 1) {
    await pace.pause(() => ({ isUrgent: false, ended: 50_000 }));
    const until = performance.now() + 10;
    while (performance.now() < until);
    isLong = !pace.isOver;
  }
  expect(isLong).toBe(true);
});
