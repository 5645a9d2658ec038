import { describe, expect, it } from '@jest/globals';
import { type JobEvent, PmanClientError } from '../../../../../../lib/client/index.ts';
import type { FeedClient } from '../../../../../../lib/page/browser/stream/feed.ts';
import { Feeds } from '../../../../../../lib/page/browser/stream/feeds.ts';
import type { ToWindow } from '../../../../../../lib/page/browser/stream/messages.ts';

const event = (seq: number) => ({ seq, type: 'started', id: `job-${seq}`, time: '' }) as JobEvent;
const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A server whose log a test writes. */
class Log implements FeedClient {
  readonly events_: JobEvent[] = [];
  streams = 0;
  pages = 0;
  failure: Error | undefined;
  #wake = () => {};

  add(...numbers: number[]): void {
    this.events_.push(...numbers.map(event));
    this.#wake();
  }

  end(failure: Error): void {
    this.failure = failure;
    this.#wake();
  }

  async *events(
    { after = 0 }: { after?: number },
    { signal, onAlive }: { signal?: AbortSignal; onAlive?: () => void },
  ): AsyncGenerator<JobEvent> {
    this.streams += 1;
    try {
      for (let seen = after; ; ) {
        onAlive?.();
        for (const one of this.events_.filter(({ seq }) => seq > seen)) {
          seen = one.seq;
          yield one;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          signal?.addEventListener('abort', () => resolve());
        });
        signal?.throwIfAborted();
        if (this.failure !== undefined) throw this.failure;
      }
    } finally {
      this.streams -= 1;
    }
  }

  async eventPage({ after = 0 }: { after?: number }) {
    this.pages += 1;
    await soon();
    if (after < 5) throw new PmanClientError('gone', 'no longer kept', { status: 410 });
    const events = this.events_.filter(({ seq }) => seq > after).slice(0, 2);
    return { events, next: events.at(-1)?.seq ?? after };
  }
}

function windowOf(feeds: Feeds, token: string | null = null) {
  const told: ToWindow[] = [];
  const say = feeds.connect((message) => told.push(message));
  return {
    told,
    join: (after?: number) => say({ kind: 'join', token, after }),
    leave: () => say({ kind: 'leave' }),
    numbers: () =>
      told.flatMap((one) => (one.kind === 'news' ? one.events.map(({ seq }) => seq) : [])),
  };
}

describe('the stream that all windows of a browser share', () => {
  it('is one for all, and ends with the last of them', async () => {
    const log = new Log();
    const feeds = new Feeds(() => log);
    const all = [1, 2, 3, 4, 5, 6, 7, 8].map(() => windowOf(feeds));
    for (const one of all) one.join(10);
    await soon();
    expect(log.streams).toBe(1);
    log.add(11, 12);
    await soon();
    // Which one began it does not matter.
    all[0]?.leave();
    log.add(13);
    await soon();
    expect(all.map((one) => one.numbers())).toEqual([
      [11, 12],
      ...Array.from({ length: 7 }, () => [11, 12, 13]),
    ]);
    for (const one of all) one.leave();
    await soon();
    expect(log.streams).toBe(0);
    const late = windowOf(feeds);
    late.join(12);
    await soon();
    expect(late.numbers()).toEqual([13]);
    late.leave();
  });

  it('gives a window that knows less what it has missed, and each event once and in order', async () => {
    const log = new Log();
    log.add(6, 7, 8, 9);
    const feeds = new Feeds(() => log);
    const [first, behind, ahead, gone] = [1, 2, 3, 4].map(() => windowOf(feeds));
    first?.join(8);
    await soon();
    behind?.join(5);
    ahead?.join(11);
    gone?.join(2);
    // While the window that is behind asks for what it has missed.
    log.add(10, 11);
    await soon();
    log.add(12);
    await soon();
    await soon();
    await soon();
    expect(first?.numbers()).toEqual([9, 10, 11, 12]);
    expect(behind?.numbers()).toEqual([6, 7, 8, 9, 10, 11, 12]);
    expect(ahead?.numbers()).toEqual([12]);
    expect(gone?.told.at(-1)).toMatchObject({ kind: 'failed', code: 'gone', status: 410 });
    for (const one of [first, behind, ahead]) one?.leave();
  });

  it('is another one for each token, and its end is told to all that have it', async () => {
    const logs = new Map<string | null, Log>();
    const feeds = new Feeds((token) => {
      const log = new Log();
      logs.set(token, log);
      return log;
    });
    const [ana, bob, bobToo] = [windowOf(feeds, 'a'), windowOf(feeds, 'b'), windowOf(feeds, 'b')];
    for (const one of [ana, bob, bobToo]) one.join(10);
    await soon();
    logs.get('a')?.add(11);
    logs.get('b')?.add(12);
    logs.get('b')?.end(new PmanClientError('unauthorized', 'no', { status: 401 }));
    await soon();
    expect([ana, bob, bobToo].map((one) => one.numbers())).toEqual([[11], [], []]);
    const failed = { kind: 'failed', code: 'unauthorized', message: 'no', status: 401 };
    expect([bob.told.at(-1), bobToo.told.at(-1)]).toEqual([failed, failed]);
    expect(ana.told.at(-1)).toMatchObject({ kind: 'news' });
    ana.leave();
  });
});
