import { afterEach, describe, expect, it, jest } from '@jest/globals';
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
