import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { searchLines } from '../../../../lib/lines/lineSearch.ts';
import type { Wanted } from '../../../../lib/lines/pattern.ts';
import { OutputFiles } from '../../../helpers/outputFiles.ts';

function found(files: OutputFiles, wanted: object | undefined, more = {}) {
  const options = { from: 1, limit: 1000, stream: undefined, isEnough: () => false, ...more };
  return searchLines([files.outputs], {
    ...options,
    wanted: wanted && ({ ignoreCase: false, ...wanted } as Wanted),
  });
}

describe('finding lines', () => {
  it('finds texts and expressions, with capitals as they are or not', () => {
    const files = OutputFiles.ended('Error: a\nok\nan error (b)\nÄrger\n', 'ERROR\n');
    expect(found(files, { text: 'Error' }).lines).toEqual([1]);
    expect(found(files, { text: 'error', ignoreCase: true }).lines).toEqual([1, 3, 5]);
    expect(found(files, { text: 'ärger', ignoreCase: true }).lines).toEqual([4]);
    expect(found(files, { text: '(b)' }).lines).toEqual([3]);
    expect(found(files, { text: '(B)', ignoreCase: true }).lines).toEqual([3]);
    expect(found(files, { regex: '^.rror' }).lines).toEqual([1]);
    expect(found(files, { regex: '\\p{Lu}rger' }).lines).toEqual([4]);
    expect(found(files, { regex: '^ok$' }).lines).toEqual([2]);
    expect(found(files, { regex: 'a\\-|\\_|ok' }).lines).toEqual([2]);
    expect(() => found(files, { regex: '(' })).toThrow(SyntaxError);
  });

  it('looks at what a terminal would show', () => {
    const files = OutputFiles.ended(
      'er\u001b[31mror\u001b[0m\n\u001b]8;;http://x\u0007link\u001b\\\n',
    );
    expect(found(files, { text: 'error' }).lines).toEqual([1]);
    expect(found(files, { text: '31m' }).lines).toEqual([]);
    expect(found(files, { regex: '^link$' }).lines).toEqual([2]);
  });

  it('says of an expression where it fits first, in what a terminal would show', () => {
    const files = OutputFiles.ended('ab ab\n\u001b[31mx\u001b[0mab\n');
    const ranges = [
      [0, 2],
      [1, 3],
    ];
    expect(found(files, { regex: 'a+b' })).toMatchObject({ lines: [1, 2], ranges });
    expect(found(files, { text: 'ab' }).ranges).toBeUndefined();
    // What follows the first one would take for ever.
    const hostile = OutputFiles.ended(`ab ${'a'.repeat(41)}\n`);
    expect(found(hostile, { regex: '(a+)+b' }).ranges).toEqual([[0, 2]]);
  });

  it('finds those of one output', () => {
    const files = OutputFiles.ended('a\nb\n', 'a\nb\nc');
    expect(found(files, undefined, { stream: 'stderr' }).lines).toEqual([3, 4, 5]);
    expect(found(files, { text: 'a' }, { stream: 'stderr' }).lines).toEqual([3]);
    expect(found(files, { text: 'b' }, { stream: 'stdout' }).lines).toEqual([2]);
  });

  it('says what it has left out', () => {
    const files = OutputFiles.ended('x\n'.repeat(300_000));
    const limited = found(files, { text: 'x' }, { limit: 10 });
    expect(limited).toEqual({
      ...{ lines: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], searched: 10, isWhole: false },
    });
    expect(found(files, { text: 'x' }, { limit: 10, from: 299_995 })).toEqual({
      ...{ lines: [6, 5, 4, 3, 2, 1].map((n) => 300_001 - n), searched: 300_000, isWhole: true },
    });
    let looks = 0;
    const stopped = found(files, { text: 'y' }, { isEnough: () => ++looks > 1 });
    expect(stopped.isWhole).toBe(false);
    expect(stopped.searched).toBeLessThan(300_000);
  });

  it('finds what goes over the borders of what is read at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 262_100, max: 262_160 }), fc.boolean(), (at, ignoreCase) => {
        const files = OutputFiles.ended(
          `${'a'.repeat(at)}\nxx needle xx\n${'b'.repeat(300_000)}Needle`,
        );
        const all = found(files, { text: 'needle', ignoreCase }).lines;
        expect(all).toEqual(ignoreCase ? [2, 3] : [2]);
        const long = OutputFiles.ended(`${'a'.repeat(at)} needle`);
        expect(found(long, { text: 'needle', ignoreCase }).lines).toEqual([1]);
      }),
      { numRuns: 30 },
    );
  });
});
