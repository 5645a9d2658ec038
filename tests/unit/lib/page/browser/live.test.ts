import { afterEach, describe, expect, it, jest } from '@jest/globals';
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
});
