import { describe, expect, it } from '@jest/globals';
import { atOnce, inTurns, isOthersTurn, turn } from '../../../../lib/concurrency/turns.ts';

function* busyFor(ms: number, log: string[] = [], name = ''): Generator<void, string, void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    if (log.at(-1) !== name) log.push(name);
    yield;
  }
  return name;
}

/** How many turns of the event loop pass until some work is done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let isDone = false;
  void work.then(() => {
    isDone = true;
  });
  let turns = 0;
  while (!isDone) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    turns += 1;
  }
  return turns;
}

describe('long work in turns', () => {
  it('lets others go on, however many of it there is at once', async () => {
    const many = Array.from({ length: 10 }, () => inTurns(busyFor(20)));
    // Each takes 20 ms by the clock; with a slice for every one in each turn there would be three turns.
    expect(await turnsDuring(Promise.all(many))).toBeGreaterThanOrEqual(4);
  });

  it('goes round: one that is short does not wait for the end of one that is long', async () => {
    const log: string[] = [];
    const ends: string[] = [];
    const long = inTurns(busyFor(100, log, 'long')).then((name) => ends.push(name));
    const short = inTurns(busyFor(6, log, 'short')).then((name) => ends.push(name));
    await Promise.all([long, short]);
    expect(ends).toEqual(['short', 'long']);
    expect(log.slice(0, 2)).toEqual(['long', 'short']);
  });

  it('does what is short at once', async () => {
    await turn();
    let isDone = false;
    void inTurns(busyFor(0)).then(() => {
      isDone = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(isDone).toBe(true);
  });

  it('says when the others are due', async () => {
    await turn();
    expect(isOthersTurn()).toBe(false);
    atOnce(busyFor(10));
    expect(isOthersTurn()).toBe(true);
    await turn();
    expect(isOthersTurn()).toBe(false);
  });
});
