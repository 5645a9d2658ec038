import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fitsPattern, mayHold } from '../../../../lib/jobs/filePatterns.ts';

describe('a pattern of files', () => {
  it.each([
    ['*.txt', 'a.txt', true],
    ['*.txt', 'out/a.txt', false],
    ['out/*', 'out/a', true],
    ['out/?', 'out/ab', false],
    ['**', 'a', true],
    ['**', 'a/b/c', true],
    ['**/*.txt', 'a.txt', true],
    ['**/*.txt', 'a/b/c.txt', true],
    ['a/**', 'a', false],
    ['a/**', 'a/b', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/x/y/c', false],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1c2b', false],
    ['A', 'a', false],
  ])('%s for %s: %s', (pattern, path, fits) => {
    expect(fitsPattern(path.split('/'), pattern)).toBe(fits);
  });

  it('leads into each folder that holds what fits', () => {
    const name = fc.stringMatching(/^[ab]{1,3}$/);
    const piece = fc.oneof(name, fc.constantFrom('*', '**', 'a*', '?', '*b'));
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 5 }),
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        (path, pieces) => {
          const pattern = pieces.join('/');
          if (!fitsPattern(path, pattern)) return;
          for (let depth = 0; depth < path.length; depth += 1) {
            expect(mayHold(path.slice(0, depth), pattern)).toBe(true);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes no longer for stars that nearly fit', () => {
    const path = Array.from({ length: 30 }, () => 'a'.repeat(200));
    expect(fitsPattern(path, `${'**/'.repeat(15)}${'*a'.repeat(40)}b`)).toBe(false);
  });
});
