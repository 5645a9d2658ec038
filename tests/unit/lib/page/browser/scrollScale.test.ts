import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ScrollScale } from '../../../../../lib/page/browser/scrollScale.ts';

describe('the scroll bar of a list', () => {
  it('is the place itself up to a height', () => {
    const scale = new ScrollScale();
    scale.resize(10_000, 600);
    scale.moved(123);
    expect([scale.top, scale.offset, scale.barHeight]).toEqual([123, 0, 10_000]);
    expect(scale.go(99_999)).toBe(9400);
  });

  it('is a scale above it: jumps go to that share, small steps by pixels, and its ends are the ends', () => {
    const bar = fc.oneof(
      fc.integer({ min: -100, max: 100 }).map((by) => ({ by })),
      fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ share })),
    );
    fc.assert(
      fc.property(fc.integer({ min: 16e6, max: 4e9 }), fc.array(bar), (height, moves) => {
        const scale = new ScrollScale();
        scale.resize(height, 600);
        const most = scale.barHeight - 600;
        expect(scale.barHeight).toBe(15_000_000);
        let at = 0;
        for (const move of moves) {
          const before = scale.top;
          const next = 'by' in move ? at + move.by : Math.round(move.share * most);
          const to = Math.max(0, Math.min(most, next));
          const isStep = Math.abs(to - at) <= 600 && to > 0 && to < most - 1;
          scale.moved(to);
          at = to;
          expect(scale.top).toBeGreaterThanOrEqual(0);
          expect(scale.top).toBeLessThanOrEqual(scale.maxTop);
          if (isStep) {
            const wanted = before + (to - (before - scale.offset));
            expect(scale.top).toBeCloseTo(Math.max(0, Math.min(scale.maxTop, wanted)), 3);
          }
          // When it rests, the bar is set right, and the place stays.
          const { top } = scale;
          at = scale.go(top);
          expect(scale.top).toBe(top);
          // A place beside an end is not shown as the end, so that a bar can still be moved there.
          expect(Math.abs(at - (top / scale.maxTop) * most)).toBeLessThanOrEqual(64);
          expect([at === 0, at >= most - 1]).toEqual([top === 0, top === scale.maxTop]);
        }
        scale.moved(0);
        expect(scale.top).toBe(0);
        scale.moved(most);
        expect(scale.top).toBe(scale.maxTop);
      }),
    );
  });

  it('stays where it is when the list becomes so short that its bar is none', () => {
    const scale = new ScrollScale();
    scale.resize(30_000_000, 600);
    const bar = scale.go(8_000_000);
    scale.resize(10_000_000, 600);
    expect([scale.top, scale.offset]).toEqual([bar, 0]);
  });
});
