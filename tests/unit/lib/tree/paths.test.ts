import { join, resolve, sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PmanError } from '../../../../lib/errors.ts';
import { checkName, isSafeName } from '../../../../lib/tree/paths.ts';

describe('isSafeName', () => {
  it.each(['a', '.hidden', '...', 'a b', 'ü', '__proto__', 'x'.repeat(255), '-rf', '\n', '~'])(
    'takes %j',
    (name) => {
      expect(isSafeName(name)).toBe(true);
      expect(() => checkName(name)).not.toThrow();
    },
  );

  it.each(['', '.', '..', 'a/b', '/', '../x', 'a\0', 'x'.repeat(256), 'ü'.repeat(128)])(
    'refuses %j',
    (name) => {
      expect(isSafeName(name)).toBe(false);
      expect(() => checkName(name)).toThrow(PmanError);
    },
  );

  it('takes no name that leads out of its folder', () => {
    const piece = fc.oneof(fc.constantFrom('.', '..', '/', '\0', 'a'), fc.string());
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const name = pieces.join('');
        fc.pre(isSafeName(name));
        expect(resolve('/db/job', name)).toBe(join('/db/job', name));
        expect(resolve('/db/job', name).split(sep)).toEqual(['', 'db', 'job', name]);
      }),
    );
  });

  it('shows the beginning of a long name only', () => {
    expect(() => checkName('x'.repeat(5000))).toThrow(/^"x{80}…" cannot be/);
  });
});
