import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placeRuns, placesIn } from '../../../../lib/transfer/placeRuns.ts';

describe('places of a list', () => {
  it('are told as runs', () => {
    expect(placeRuns([0, 1, 2, 5, 9, 10])).toBe('0-2,5,9-10');
  });

  it('are all found in the text again, and few others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(100_000), { minLength: 1, maxLength: 2000 }), (all) => {
        const numbers = [...all].sort((a, b) => a - b);
        const text = placeRuns(numbers);
        const has = placesIn(text);
        expect(numbers.every(has)).toBe(true);
        expect(text.length).toBeLessThanOrEqual(4000);
        // As long as it fits, nothing else is asked for.
        const few = numbers.slice(0, 300);
        const fewIn = placesIn(placeRuns(few));
        const between = few.map((n) => n + 1).filter((n) => !few.includes(n));
        expect(between.some(fewIn)).toBe(false);
      }),
    );
  });
});
