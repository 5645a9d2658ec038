import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fitsWildcards } from '../../../../lib/wire/wildcards.ts';

describe('a pattern with stars and question marks', () => {
  it.each([
    ['train*', 'train-lr0.1', true],
    ['train*', 'a train', false],
    ['*lr0.1', 'train-lr0.1', true],
    ['*lr0.1', 'train-lr0x1', false],
    ['a*b*c', 'aXbYbZc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['', '', true],
    ['*', '', true],
    ['NAME', 'name', false],
    ['[a]', 'a', false],
    ['?', '😀', true],
  ])('%s and %s: %s', (pattern, name, fits) => {
    expect(fitsWildcards(name, pattern)).toBe(fits);
  });

  it('says what a regular expression says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    const names = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, names, (pattern, name) => {
        const source = pattern.replaceAll('*', '.*').replaceAll('?', '.');
        expect(fitsWildcards(name, pattern)).toBe(new RegExp(`^${source}$`).test(name));
      }),
    );
  });

  it('is not slowed down by many stars', () => {
    // Going back to every star would take longer than anybody lives.
    expect(fitsWildcards('a'.repeat(4000), `${'*a'.repeat(90)}b`)).toBe(false);
  });
});
