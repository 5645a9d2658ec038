import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OutputLine } from '../../../../../../lib/dialects/v2/shapes.ts';
import { bytesText } from '../../../../../../lib/page/browser/log/bytesText.ts';
import { Hits } from '../../../../../../lib/page/browser/log/lineHits.ts';
import { LineStore } from '../../../../../../lib/page/browser/log/lineStore.ts';
import { queryIn, rangesIn } from '../../../../../../lib/page/browser/log/logQuery.ts';
import { RowMap } from '../../../../../../lib/page/browser/log/rowMap.ts';
import { timeText } from '../../../../../../lib/page/browser/log/timeText.ts';

const line = (number: number, text: string, more: Partial<OutputLine> = {}): OutputLine => ({
  ...{ line: number, text, stream: 'stdout', part: 0 },
  ...more,
});
const lines = (from: number, count: number, text: string) =>
  Array.from({ length: count }, (_, i) => line(from + i, text));

describe('the rows of a log', () => {
  it('are its lines without those that are not shown', () => {
    const hidden = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), hidden, (total, numbers) => {
        const gone = numbers.filter((n) => n <= total).sort((a, b) => a - b);
        const map = new RowMap(total, gone);
        const left = Array.from({ length: total }, (_, i) => i + 1).filter(
          (n) => !gone.includes(n),
        );
        expect(map.rows).toBe(left.length);
        expect(map.linesAt(0, total)).toEqual(left);
        expect(left.map((n) => map.rowOf(n))).toEqual(left.map((_, i) => i));
      }),
    );
  });
});

describe('the lines that a page keeps', () => {
  it('are those of the last looks, within a limit, and never without those in view', () => {
    const store = new LineStore(100_000);
    for (let from = 1; from < 20_000; from += 200) {
      store.put({ lines: lines(from, 200, 'x'.repeat(50)), open: [] });
      store.forget(from, from + 199);
      expect(store.missing(from, from + 199)).toBeUndefined();
    }
    expect(store.weight).toBeLessThan(130_000);
    expect(store.get(1)).toBeUndefined();
    expect(store.missing(19_700, 19_900)).toBeUndefined();
  });

  it('carry colours from chunk to chunk, for each output', () => {
    const store = new LineStore();
    const red = '\u001b[31m';
    store.put({ lines: [...lines(1, 199, 'a'), line(200, `${red}b`), line(201, 'c')], open: [] });
    store.put({ lines: [line(202, 'd', { stream: 'stderr' }), line(203, '\u001b[0me')], open: [] });
    const looks = [200, 201, 202, 203].map((n) => store.shown(n)?.spans[0]?.look.text);
    expect(looks).toEqual([1, 1, undefined, undefined]);
    store.put({ lines: [line(200, 'b')], open: [] });
    expect(store.shown(201)?.spans[0]?.look.text).toBeUndefined();
  });

  it('are fetched anew when they were without an end and are not any more', () => {
    const store = new LineStore();
    const open = [line(2, 'b', { open: true })];
    store.put({ lines: [line(1, 'a'), ...open], open });
    store.put({ lines: [], open: [line(2, 'bc', { open: true })] });
    expect(store.get(2)?.text).toBe('bc');
    store.put({ lines: [line(900, 'z')], open: [] });
    expect(store.missing(1, 2)).toBe(2);
  });

  it('keep their growth when an answer comes that newer ones have overtaken', () => {
    const store = new LineStore();
    const grown = line(3, 'abc', { open: true });
    store.put({ lines: [grown], open: [grown] });
    store.putOld({ lines: [line(2, 'x'), line(3, 'a', { open: true })] });
    expect([store.get(2)?.text, store.get(3)?.text]).toEqual(['x', 'abc']);
    // It is still known to grow.
    store.put({ lines: [], open: [] });
    expect(store.missing(2, 3)).toBe(3);
  });
});

describe('what is looked for', () => {
  it('is a text, whose capitals count when it has any, or an expression', () => {
    expect(queryIn('abc')?.query).toEqual({ text: 'abc', ignoreCase: true });
    expect(queryIn('aBc')?.query).toEqual({ text: 'aBc', ignoreCase: false });
    expect(queryIn('/a+/')?.query).toEqual({ regex: 'a+', ignoreCase: false });
    expect(queryIn('/a+/i')?.query).toEqual({ regex: 'a+', ignoreCase: true });
    expect(queryIn('/usr/lib')?.query).toEqual({ text: '/usr/lib', ignoreCase: true });
    expect(queryIn('')).toBeUndefined();
    for (const slow of ['(a+)+b', 'a*a*b', 'a{9}', 'a?a?aa', 'a|ab', '(a)\\1', '\\k<a>', '(']) {
      expect([slow, queryIn(`/${slow}/`)?.expression]).toEqual([slow, undefined]);
    }
    for (const quick of ['^1[23*]45$', '\\d\\.\\[x\\+']) {
      expect(queryIn(`/${quick}/`)?.expression).toBeInstanceOf(RegExp);
    }
    expect(rangesIn('a.b a.B', queryIn('a.b')?.expression)).toEqual([
      [0, 3],
      [4, 7],
    ]);
    expect(rangesIn('aaa', queryIn('/^/')?.expression)).toEqual([]);
  });

  it('is gone through from where one is, round at the ends, and goes on with what comes', () => {
    const hits = new Hits();
    expect(hits.go(1, 1)).toBeUndefined();
    hits.add({ lines: [10, 20, 30], searched: 40, whole: true });
    expect([hits.go(1, 15), hits.place]).toEqual([20, 2]);
    expect([hits.go(1, 0), hits.go(1, 0), hits.go(-1, 0)]).toEqual([30, 10, 30]);
    hits.add({ lines: [30, 50], searched: 60, whole: true });
    expect([hits.go(1, 0), hits.has(30), hits.has(31), hits.lines.length]).toEqual([
      50,
      true,
      false,
      4,
    ]);
    const others = new Hits();
    others.add({ lines: [10, 20], searched: 40, whole: true });
    expect(others.go(-1, 15)).toBe(10);
  });
});

describe('words of the log', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_200_000, '1.2 MB'],
    [99_600_000, '100 MB'],
    [1_500_000_000, '1.5 GB'],
  ])('says %d bytes as %s', (bytes, said) => expect(bytesText(bytes)).toBe(said));

  it('says when a line came', () => {
    const at = '2026-01-01T00:00:05.250Z';
    expect(timeText('off', at, null)).toBe('');
    expect(timeText('clock', at, null)).toMatch(/^\d\d:\d\d:05$/);
    expect(timeText('since', at, '2026-01-01T00:00:00Z')).toBe('+5.3s');
    expect(timeText('since', at, '2025-12-31T23:58:00Z')).toBe('+2m05s');
    expect(timeText('since', at, '2025-12-31T21:58:00Z')).toBe('+2h02m');
    expect(timeText('clock', undefined, null)).toBe('–');
  });
});
