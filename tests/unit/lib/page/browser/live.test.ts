import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PmanClientError } from '../../../../../lib/client/index.ts';
import { Live } from '../../../../../lib/page/browser/live.ts';

describe('the way to the server', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('leaves nothing behind for each try while the server is away', async () => {
    const listening = { more: 0 };
    const { addEventListener, removeEventListener } = AbortSignal.prototype;
    jest.spyOn(AbortSignal.prototype, 'addEventListener').mockImplementation(function (
      this: AbortSignal,
      ...given: Parameters<typeof addEventListener>
    ) {
      listening.more += 1;
      addEventListener.apply(this, given);
    } as typeof addEventListener);
    jest.spyOn(AbortSignal.prototype, 'removeEventListener').mockImplementation(function (
      this: AbortSignal,
      ...given: Parameters<typeof removeEventListener>
    ) {
      listening.more -= 1;
      removeEventListener.apply(this, given);
    } as typeof removeEventListener);
    let tries = 0;
    const live = new Live({
      ...{ url: 'http://127.0.0.1:1', onEvent: () => undefined, onChange: () => undefined },
      storage: { getItem: () => null, setItem: () => undefined, removeItem: () => undefined },
      load: async () => {
        tries += 1;
        throw new Error('away');
      },
    });
    live.start();
    while (tries < 20) {
      await new Promise(setImmediate);
      live.now();
    }
    live.pause();
    await new Promise(setImmediate);
    // The one that it waits with when it is given up may be left: it was called.
    expect(listening.more).toBeLessThanOrEqual(1);
  });

  describe('to one that hangs', () => {
    const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
    const begin = Date.parse('2026-11-30T12:00:00Z');
    /** The server hangs from then on: what is asked gets no answer, and the stream says nothing more. */
    let hangs = false;
    let asked = 0;
    let say = (_text: string) => {};
    const send = ((url: string, { signal }: RequestInit) => {
      asked += 1;
      if (hangs) {
        return new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        });
      }
      if (!url.includes('/events')) return Promise.resolve(Response.json({ disk: {} }));
      const body = new ReadableStream<Uint8Array>({
        start(stream) {
          say = (text) => stream.enqueue(new TextEncoder().encode(text));
          say('id: 7\n\n');
          signal?.addEventListener('abort', () => stream.error(signal.reason));
        },
      });
      const headers = { 'content-type': 'text/event-stream' };
      return Promise.resolve(new Response(body, { headers }));
    }) as typeof globalThis.fetch;
    let live: Live;
    const pass = (seconds: number) => jest.advanceTimersByTimeAsync(seconds * 1000);

    beforeEach(async () => {
      jest.useFakeTimers({ now: begin, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
      hangs = false;
      asked = 0;
      live = new Live({
        ...{ url: 'http://pman.test', storage, fetch: send },
        ...{ onEvent: () => undefined, onChange: () => undefined },
        load: async () => {
          await live.client.server();
          return 7;
        },
      });
      live.start();
      await pass(0.1);
    });
    afterEach(() => {
      live.pause();
      jest.useRealTimers();
    });

    it('is known to be lost after two signs of life have not come, since the last one that has', async () => {
      expect(live.contact).toEqual({ kind: 'live' });
      await pass(14.9);
      say('id: 7\n\n');
      await pass(1);
      hangs = true;
      await pass(33);
      expect(live.contact).toEqual({ kind: 'live' });
      await pass(1.5);
      expect(live.contact).toMatchObject({ kind: 'away', since: begin + 15_000 });
    });

    it('gives up a try after ten seconds, and one that hangs when somebody wants another now', async () => {
      hangs = true;
      await pass(36.5);
      expect(live.contact).toMatchObject({ kind: 'away', nextAt: undefined });
      const before = asked;
      await pass(10);
      expect(live.contact).toEqual({
        kind: 'away',
        since: begin,
        nextAt: begin + 48_000,
      });
      await pass(2);
      expect([asked, live.contact]).toEqual([
        before + 1,
        { kind: 'away', since: begin, nextAt: undefined },
      ]);
      live.now();
      await pass(0.1);
      expect(asked).toBe(before + 2);
      expect(live.contact).toMatchObject({ since: begin });
      hangs = false;
      live.now();
      await pass(0.1);
      expect(live.contact).toEqual({ kind: 'live' });
    });
  });

  it('tells what the server refuses, and asks again only when somebody wants that', async () => {
    let tries = 0;
    const refusal = new PmanClientError('forbidden', 'lacks the scope "read"', { status: 403 });
    const live = new Live({
      ...{ url: 'http://127.0.0.1:1', onEvent: () => undefined, onChange: () => undefined },
      storage: { getItem: () => 'a token', setItem: () => undefined, removeItem: () => undefined },
      load: async () => {
        tries += 1;
        throw refusal;
      },
    });
    live.start();
    await new Promise(setImmediate);
    live.now();
    await new Promise(setImmediate);
    const stood = [live.contact, tries];
    live.start();
    await new Promise(setImmediate);
    live.pause();
    expect(stood).toEqual([{ kind: 'refused', error: refusal }, 1]);
    expect(tries).toBe(2);
  });
});
