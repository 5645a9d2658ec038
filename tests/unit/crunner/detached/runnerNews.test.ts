import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RunnerEvent } from '../../../../crunner/detached/runnerEvent.ts';
import { RunnerNews } from '../../../../crunner/detached/runnerNews.ts';

const started = (folder: string): RunnerEvent => ({
  ...{ kind: 'start', folder, part: 0 },
  start: { pid: 5, startedAt: 1 },
});
const ended = (folder: string): RunnerEvent => ({
  ...{ kind: 'end', folder, part: 0 },
  end: { endedAt: 2, returncode: 0, last: true },
});

let sent: string[] = [];
let news: RunnerNews;
/** What each message says, as `<kind> <folder>`. */
const told = () =>
  sent.map((message) =>
    message
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunnerEvent)
      .map(({ kind, folder }) => `${kind} ${folder}`),
  );

beforeEach(() => {
  jest.useFakeTimers();
  sent = [];
  news = new RunnerNews((lines) => sent.push(lines));
});
afterEach(() => {
  jest.useRealTimers();
});

describe('what becomes of jobs', () => {
  it('is told in one message when a part ends within a moment of its start', () => {
    news.tell(started('a'));
    jest.advanceTimersByTime(5);
    news.tell(ended('a'));
    jest.advanceTimersByTime(1000);
    expect(told()).toEqual([['start a', 'end a']]);
  });

  it('is told in one message, in order, when parts of several jobs end in one turn', () => {
    for (const event of [started('a'), ended('b'), ended('a')]) news.tell(event);
    jest.advanceTimersByTime(0);
    expect(told()).toEqual([['start a', 'end b', 'end a']]);
  });

  it('says that a part has started when it goes on', () => {
    news.tell(started('a'));
    jest.advanceTimersByTime(10);
    expect(told()).toEqual([['start a']]);
    news.tell(ended('a'));
    jest.advanceTimersByTime(0);
    expect(told()).toEqual([['start a'], ['end a']]);
  });

  it('is told before a new server comes, and not again', () => {
    news.tell(started('a'));
    news.flush();
    expect(told()).toEqual([['start a']]);
    news.flush();
    jest.advanceTimersByTime(1000);
    expect(told()).toHaveLength(1);
  });
});
