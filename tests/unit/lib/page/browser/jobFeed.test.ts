import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Job, JobEvent } from '../../../../../lib/client/index.ts';
import { followJob } from '../../../../../lib/page/browser/jobFeed.ts';

const ID = '1_7f3a9c12-0000-4000-8000-000000000000';

describe('one job that is open', () => {
  let answer: ((state: string) => Promise<void>)[];
  let tell: (id: string, type?: string) => void;
  let states: string[];
  let end: () => void;

  beforeEach(() => {
    jest.useFakeTimers();
    [answer, states] = [[], []];
    end = followJob({
      client: {
        job: () =>
          new Promise((resolve) => {
            answer.push(async (state) => {
              resolve({ id: ID, state } as unknown as Job);
              await jest.advanceTimersByTimeAsync(0);
            });
          }),
      },
      id: '7f3a9c12',
      hear: (listener) => {
        tell = (id, type = 'ended') => listener({ id, type } as JobEvent);
        return () => undefined;
      },
      onJob: ({ state }) => void states.push(state),
      onError: () => undefined,
    });
  });
  afterEach(() => {
    end();
    jest.useRealTimers();
  });

  it('is asked for again when it has ended before the first answer was there', async () => {
    tell(ID);
    await answer[0]?.('running');
    await jest.advanceTimersByTimeAsync(1000);
    await answer[1]?.('failed');
    expect([states, answer.length]).toEqual([['running', 'failed'], 2]);
  });

  it('has one request at a time: no answer comes behind a newer one', async () => {
    await answer[0]?.('waiting');
    tell(ID);
    await jest.advanceTimersByTimeAsync(1000);
    tell(ID);
    await jest.advanceTimersByTimeAsync(1000);
    expect(answer).toHaveLength(2);
    await answer[1]?.('running');
    await jest.advanceTimersByTimeAsync(1000);
    await answer[2]?.('failed');
    expect(states).toEqual(['waiting', 'running', 'failed']);
  });

  it('that waits is asked for again, not too often, when another one has left the queue', async () => {
    const other = '1_00000000-0000-4000-8000-000000000000';
    await answer[0]?.('waiting');
    tell(other, 'accepted');
    await jest.advanceTimersByTimeAsync(2000);
    expect(answer).toHaveLength(1);
    for (let n = 0; n < 5; n += 1) tell(other);
    await jest.advanceTimersByTimeAsync(900);
    expect(answer).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(300);
    expect(answer).toHaveLength(2);
    await answer[1]?.('running');
    tell(other);
    await jest.advanceTimersByTimeAsync(2000);
    expect(answer).toHaveLength(2);
  });

  it('is not asked for when something happens to another one, or when nobody looks', async () => {
    await answer[0]?.('running');
    tell('1_00000000-0000-4000-8000-000000000000');
    await jest.advanceTimersByTimeAsync(1000);
    expect(answer).toHaveLength(1);
    tell(ID);
    end();
    await jest.advanceTimersByTimeAsync(1000);
    expect([answer.length, jest.getTimerCount()]).toEqual([1, 0]);
  });
});
