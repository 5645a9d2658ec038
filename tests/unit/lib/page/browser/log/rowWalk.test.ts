import { describe, expect, it } from '@jest/globals';
import { drawnRanges, MOST_SELECTED } from '../../../../../../lib/page/browser/log/drawnRanges.ts';
import { walked } from '../../../../../../lib/page/browser/log/rowWalk.ts';

describe('a window on rows of any height', () => {
  const heights = [20, 100, 40, 300];
  const heightOf = (row: number) => heights[row];

  it.each([
    [0, 10, 0.5],
    [0, 70, 1.5],
    [0.5, 60, 1.5],
    [1.5, 90, 3],
    [1.5, -60, 0.5],
    [3, -40, 2],
    [2.5, -20, 2],
    [3.5, -150, 3],
  ])('at %d is, moved by %d pixels, at %d', (at, px, then) => {
    expect(walked(at, px, heightOf)).toBeCloseTo(then);
  });

  it('stops where rows are not known, but moves', () => {
    const known = (row: number) => (row < 2 || row > 3 ? undefined : heights[row]);
    expect(walked(2, 900, known)).toBe(4);
    expect(walked(3.5, -900, known)).toBe(2);
    expect([walked(2, -50, known), walked(4, 50, known), walked(1.5, -1, known)]).toEqual([
      1, 5, 1,
    ]);
    expect(walked(0, -50, heightOf)).toBeLessThan(0);
  });
});

describe('the rows that are drawn', () => {
  const view = { from: 1000, to: 1049 };
  const end = 1000 + MOST_SELECTED + 500;

  it('are those in view, and those that are selected', () => {
    expect(drawnRanges(view, undefined)).toEqual([view]);
    expect(drawnRanges(view, { from: 3, to: 5 })).toEqual([{ from: 3, to: 5 }, view]);
    expect(drawnRanges(view, { from: 990, to: 999 })).toEqual([{ from: 990, to: 1049 }]);
    expect(drawnRanges(view, { from: 1010, to: 1400 })).toEqual([{ from: 1000, to: 1400 }]);
  });

  it('are of a very long selection its ends alone, so that the browser keeps it', () => {
    expect(drawnRanges(view, { from: 3, to: end })).toEqual([
      { from: 3, to: 3 },
      view,
      { from: end, to: end },
    ]);
    expect(drawnRanges(view, { from: 1010, to: end })).toEqual([view, { from: end, to: end }]);
  });
});
