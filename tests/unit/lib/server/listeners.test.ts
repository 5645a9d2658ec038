import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Listeners } from '../../../../lib/server/listeners.ts';

const here = new AbortController();

/** A piece of work that lasts until it is told to end. */
function piece() {
  let end: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { done, end: () => end() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Listeners', () => {
  it('gives back what the work gives back', async () => {
    await expect(new Listeners(1).work(here, async () => 'done')).resolves.toBe('done');
  });

  it('works on as many at once as it has listeners, and on the others in their order', async () => {
    const counts = fc.record({ listeners: fc.integer({ min: 1, max: 5 }), pieces: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(counts, async ({ listeners: count, pieces }) => {
        const listeners = new Listeners(count);
        const begun: number[] = [];
        const all = Array.from({ length: pieces }, piece);
        const work = all.map((one, i) =>
          listeners.work(here, async () => {
            begun.push(i);
            await one.done;
          }),
        );
        for (const [i, one] of all.entries()) {
          await turn();
          expect(begun).toEqual([...Array(Math.min(i + count, pieces)).keys()]);
          one.end();
        }
        await Promise.all(work);
      }),
      { numRuns: 30 },
    );
  });

  it('has its listeners again after work that failed', async () => {
    const listeners = new Listeners(2);
    for (let i = 0; i < 20; i += 1) {
      await expect(
        listeners.work(here, async () => {
          throw new Error(`failure ${i}`);
        }),
      ).rejects.toThrow(`failure ${i}`);
      const throwsAtOnce = (): number => {
        throw new Error('at once');
      };
      expect(() => listeners.work(here, throwsAtOnce)).toThrow('at once');
      expect(listeners.work(here, () => i)).toBe(i);
    }
    const both = [piece(), piece()];
    const begun: number[] = [];
    const work = both.map((one, i) =>
      listeners.work(here, async () => {
        begun.push(i);
        await one.done;
      }),
    );
    await turn();
    expect(begun).toEqual([0, 1]);
    for (const one of both) one.end();
    await Promise.all(work);
  });

  it('passes over a request whose client went away while it waited', async () => {
    const listeners = new Listeners(1);
    const first = piece();
    const working = listeners.work(here, () => first.done);
    const gone = new AbortController();
    let didGone = false;
    const abandoned = listeners.work(gone, async () => {
      didGone = true;
    });
    const last = listeners.work(here, async () => 'last');
    gone.abort();
    first.end();
    await expect(abandoned).rejects.toThrow('the client went away');
    await expect(last).resolves.toBe('last');
    await working;
    expect(didGone).toBe(false);
  });

  it('gives up the place of a client that left, also while every listener is in use', async () => {
    const listeners = new Listeners(1);
    const first = piece();
    const working = listeners.work(here, () => first.done);
    for (let i = 0; i < 10_001; i += 1) {
      const gone = new AbortController();
      const abandoned = listeners.work(gone, async () => undefined);
      gone.abort();
      await expect(abandoned).rejects.toThrow('the client went away');
    }
    first.end();
    await working;
  });

  it('turns away the one who comes after ten thousand that wait', async () => {
    const listeners = new Listeners(1);
    const first = piece();
    const work = [listeners.work(here, () => first.done)];
    for (let i = 0; i < 10_000; i += 1) work.push(listeners.work(here, async () => undefined));
    await expect(listeners.work(here, async () => undefined)).rejects.toMatchObject({
      code: 'busy',
      hint: expect.stringContaining('--listeners'),
    });
    first.end();
    await Promise.all(work);
    await expect(listeners.work(here, async () => 'again')).resolves.toBe('again');
  });
});
