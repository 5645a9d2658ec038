import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlaceRoom, placeRuns, placesIn } from '../../../../lib/transfer/placeRuns.ts';

describe('places of a list', () => {
  it('are told as runs', () => {
    expect(placeRuns([0, 1, 2, 5, 9, 10])).toBe('0-2,5,9-10');
  });

  it('are all found in the text again, and no others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(3000), { minLength: 1, maxLength: 2000 }), (all) => {
        const numbers = [...all].sort((a, b) => a - b);
        const has = placesIn(placeRuns(numbers));
        const found = Array.from({ length: 3002 }, (_, n) => n).filter(has);
        expect(found).toEqual(numbers);
      }),
    );
  });

  it.each(['rising', 'falling'])(
    'have room as long as their text has 4000 characters: %s',
    (how) => {
      fc.assert(
        fc.property(fc.uniqueArray(fc.nat(3000), { minLength: 1000, maxLength: 2000 }), (all) => {
          const numbers = all.sort((a, b) => (how === 'rising' ? a - b : b - a));
          const room = new PlaceRoom();
          const end = numbers.findIndex((number) => !room.add(number));
          const textOf = (some: readonly number[]) => placeRuns([...some].sort((a, b) => a - b));
          const fitting = end < 0 ? numbers : numbers.slice(0, end);
          expect(textOf(fitting).length).toBeLessThanOrEqual(4000);
          if (end >= 0) expect(textOf(numbers.slice(0, end + 1)).length).toBeGreaterThan(4000);
        }),
      );
    },
  );
});
