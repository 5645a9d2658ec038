import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FindQuery, FoundLines } from '../../../../../../lib/client/index.ts';
import { LogFinder } from '../../../../../../lib/page/browser/log/logFinder.ts';
import { StderrLines } from '../../../../../../lib/page/browser/log/stderrLines.ts';

interface Asked {
  readonly query: FindQuery;
  readonly signal: AbortSignal;
  readonly answer: (found: FoundLines) => void;
  readonly refuse: (error: Error) => void;
}

describe('what is asked of pman about the lines of a log', () => {
  let asked: Asked[];
  let total: number;
  let errors: unknown[];

  beforeEach(() => {
    [asked, total, errors] = [[], 100, []];
  });

  const find = (query: FindQuery, signal: AbortSignal) =>
    new Promise<FoundLines>((answer, refuse) => {
      asked.push({ query, signal, answer, refuse });
      signal.addEventListener('abort', () => refuse(new Error('given up')));
    });
  const found = (lines: readonly number[], searched = total, whole = true) =>
    ({ lines, searched, whole }) as FoundLines;
  const answer = (at: number, ...rest: Parameters<typeof found>) =>
    asked[at]?.answer(found(...rest));

  describe('by a search', () => {
    let finder: LogFinder;
    let stream: 'stdout' | undefined;

    beforeEach(() => {
      stream = undefined;
      finder = new LogFinder({
        ...{ find, total: () => total, stream: () => stream, onChange: () => undefined },
        onError: (error) => errors.push(error),
      });
    });

    it('is for the newest text, whatever is given up and however late that is answered', async () => {
      const first = finder.find('one');
      const second = finder.find('two');
      expect([asked[0]?.signal.aborted, finder.isSearching]).toEqual([true, true]);
      await first;
      // The one that was given up does not end the other.
      expect([finder.isSearching, finder.typed]).toEqual([true, 'two']);
      answer(1, [7]);
      await second;
      expect([finder.isSearching, finder.hits.lines, errors]).toEqual([false, [7], []]);
    });

    it('goes on behind what was looked at, when more has come', async () => {
      const first = finder.find('a');
      answer(0, [3, 5]);
      await first;
      const go = () => finder.go(1, () => 1);
      expect([await go(), await go()]).toEqual([3, 5]);
      // Round at the end, unless there is more.
      expect(await go()).toBe(3);
      await go();
      total = 120;
      const more = go();
      expect(asked[1]?.query).toMatchObject({ text: 'a', from: 101 });
      answer(1, [110]);
      expect(await more).toBe(110);
    });

    it('goes nowhere when something else is looked for meanwhile', async () => {
      const first = finder.find('a');
      answer(0, [3], 50);
      await first;
      await finder.go(1, () => 1);
      const more = finder.go(1, () => 1);
      const other = finder.find('b');
      answer(2, [9]);
      await other;
      expect(await more).toBeUndefined();
    });

    const held = (shown: string, more = {}) => ({ shown, written: shown, isCut: false, ...more });

    it('never runs in the page what may take for ever: pman tells the place', async () => {
      const line = `ab ${'a'.repeat(41)}`;
      const search = finder.find('/(a+)+b/');
      asked[0]?.answer({
        lines: [3, 4],
        ranges: [
          [0, 2],
          [4500, 4501],
        ],
        searched: 100,
        whole: true,
      });
      await search;
      expect(finder.rangesIn(3, held(line))).toEqual([[0, 2]]);
      // Where pman saw something else than is shown, it can only say which line it is.
      const all = [[0, line.length]];
      expect(finder.rangesIn(3, held(line, { isCut: true }))).toEqual(all);
      expect(finder.rangesIn(3, held(line, { written: `12%\r${line}` }))).toEqual(all);
      expect(finder.rangesIn(3, held(line, { written: `${line}\r` }))).toEqual([[0, 2]]);
      expect(finder.rangesIn(4, held(line))).toEqual(all);
      expect(finder.rangesIn(5, held(line))).toEqual([]);
    });

    it('marks each hit of a line, and all of one whose hit is not in view', async () => {
      const search = finder.find('a.');
      answer(0, [1, 2]);
      await search;
      expect(finder.rangesIn(1, held('a. a.'))).toEqual([
        [0, 2],
        [3, 5],
      ]);
      expect(finder.rangesIn(2, held('bbb', { isCut: true }))).toEqual([[0, 3]]);
    });

    it('is for the output that is shown', async () => {
      stream = 'stdout';
      const search = finder.find('a');
      answer(0, []);
      await search;
      expect(asked[0]?.query).toMatchObject({ text: 'a', stream: 'stdout' });
    });

    it('tells what pman has against it', async () => {
      const first = finder.find('/(/');
      const error = new Error('no expression');
      asked[0]?.refuse(error);
      await first;
      expect([errors, finder.isSearching]).toEqual([[error], false]);
      expect(await finder.go(1, () => 1)).toBeUndefined();
      expect(asked).toHaveLength(1);
    });
  });

  describe('by the lines of stderr', () => {
    it('is asked for once, however many want to know, until all lines are known', async () => {
      const stderr = new StderrLines(find);
      const both = [stderr.know(() => total), stderr.know(() => total)];
      expect(asked).toHaveLength(1);
      answer(0, [4], 60, false);
      await new Promise(setImmediate);
      expect(asked[1]?.query).toMatchObject({ stream: 'stderr', from: 61 });
      answer(1, [90]);
      await Promise.all(both);
      expect([stderr.hits.lines, asked.length]).toEqual([[4, 90], 2]);
    });

    it('is not asked for without an end when pman gets no further', async () => {
      const stderr = new StderrLines(find);
      const known = stderr.know(() => total);
      answer(0, [], 0, false);
      await expect(known).rejects.toThrow('no further');
    });
  });
});
