import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OutputLines } from '../../../../../../lib/client/index.ts';
import { LogModel } from '../../../../../../lib/page/browser/log/logModel.ts';

/** What a job that runs has written so far: one line, and then nothing for long. */
const QUIET: OutputLines = {
  ...{ lines: [], open: [], total: 1, bytes: 6, whole: true, ended: false },
};

describe('the log of a job that writes nothing for long', () => {
  let page: EventTarget & { hidden: boolean; hasFocus: () => boolean };
  let asked: number[];
  let log: LogModel;
  beforeEach(async () => {
    jest.useFakeTimers({ now: 0 });
    page = Object.assign(new EventTarget(), { hidden: false, hasFocus: () => true });
    asked = [];
    const lines = async () => {
      asked.push(Date.now());
      return QUIET;
    };
    log = new LogModel({ lines }, 'a', page, () => undefined);
    void log.run(undefined);
    await jest.advanceTimersByTimeAsync(10_000);
  });
  afterEach(() => {
    log.close();
    jest.useRealTimers();
  });

  /** From each request of the next ten seconds to the one behind it, in milliseconds. */
  async function pauses(): Promise<ReadonlySet<number>> {
    asked = [];
    await jest.advanceTimersByTimeAsync(10_000);
    return new Set(asked.slice(1).map((time, i) => time - (asked[i] ?? 0)));
  }

  it('is asked for news more than twice a second in the window that has the focus', async () => {
    expect(await pauses()).toEqual(new Set([400]));
  });

  it('is asked for news every two seconds in another window', async () => {
    page.hasFocus = () => false;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await pauses()).toEqual(new Set([2000]));
  });

  it('is asked for nothing in a window that nobody sees', async () => {
    page.hidden = true;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await pauses()).toEqual(new Set());
  });
});
