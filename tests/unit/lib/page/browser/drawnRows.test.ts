import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drawnRows, ROW } from '../../../../../lib/page/browser/drawnRows.ts';
import { ScrollScale } from '../../../../../lib/page/browser/scrollScale.ts';

const VIEW = 600;

/** A list that somebody has gone through, by the wheel and by the handle of its bar. */
const somewhere = fc
  .record({
    rows: fc.oneof(fc.integer({ min: 30, max: 400_000 }), fc.integer({ min: 4e5, max: 2e7 })),
    moves: fc.array(
      fc.oneof(
        fc.record({ by: fc.integer({ min: -9000, max: 9000 }) }),
        fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      ),
      { minLength: 1, maxLength: 20 },
    ),
  })
  .map(({ rows, moves }) => {
    const scale = new ScrollScale();
    scale.resize(rows * ROW, VIEW);
    let bar = 0;
    for (const move of moves) {
      if ('by' in move) bar = scale.go(scale.top + move.by);
      else {
        bar = Math.round(move.share * (scale.barHeight - VIEW));
        scale.moved(bar);
      }
    }
    return { rows, scale, bar, isHeld: 'share' in (moves.at(-1) ?? {}) };
  });

/** What is drawn there, of a list that is loaded as a whole. */
function drawnIn(rows: number, { top, barHeight: height, offset }: ScrollScale) {
  const place = Math.floor(top / ROW);
  const wanted = { first: Math.max(0, place - 12), last: place + 40 };
  return drawnRows(wanted, { start: 0, count: rows }, { height, offset, top });
}

describe('a list of jobs of any length', () => {
  it('has the rows in view where the wheel and the bar have brought them, and no element that is too high', () => {
    fc.assert(
      fc.property(somewhere, ({ rows, scale, bar, isHeld }) => {
        const { from, to, above, below } = drawnIn(rows, scale);
        const height = above + (to - from) * ROW + below;
        expect(height).toBeGreaterThanOrEqual(scale.barHeight);
        expect(height).toBeLessThan(scale.barHeight + ROW + 1);
        // All that is in view is drawn.
        expect(from * ROW).toBeLessThanOrEqual(scale.top + 1);
        expect(to * ROW).toBeGreaterThanOrEqual(Math.min(scale.top + VIEW, rows * ROW) - 1);
        // Rows stand where the place in the list says; while the handle is held beside its upper end, for less than a row.
        const shift = bar - above - (scale.top - from * ROW);
        expect(Math.abs(shift)).toBeLessThanOrEqual(isHeld && bar < ROW ? ROW : 1);
      }),
    );
  });

  it('shows its first row at the upper end of its bar, and its last one at the lower end', () => {
    fc.assert(
      fc.property(somewhere, ({ rows, scale }) => {
        scale.go(0);
        expect(drawnIn(rows, scale)).toMatchObject({ from: 0, above: 0 });
        const bar = scale.go(Number.MAX_SAFE_INTEGER);
        const { from, to, above, below } = drawnIn(rows, scale);
        expect([to, below]).toEqual([rows, 0]);
        expect(above + (to - from) * ROW).toBe(bar + VIEW);
      }),
    );
  });

  it('draws nothing where nothing is loaded, and is as high all the same', () => {
    const bar = { height: 15_000_000, offset: 81_000_000, top: 82_000_000 };
    const drawn = drawnRows({ first: 10, last: 60 }, { start: 2_900_000, count: 200 }, bar);
    expect(drawn.from).toBe(drawn.to);
    expect(drawn.above + drawn.below).toBe(15_000_000);
  });
});
