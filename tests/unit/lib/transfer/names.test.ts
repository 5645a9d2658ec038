import { normalize } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { entryParts } from '../../../../lib/transfer/names.ts';

const part = fc.constantFrom('a', 'b', '.', '..', '', 'ü', '\0', 'c d');
const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));

const accepts = (check: () => void) => {
  try {
    check();
    return true;
  } catch {
    return false;
  }
};

describe('entryParts', () => {
  it('accepts only paths that stay below where they start', () => {
    fc.assert(
      fc.property(path, (text) => {
        fc.pre(accepts(() => entryParts(text)));
        expect(normalize(`/base/${text}/.`).replace(/\/$/, '')).toBe(
          ['/base', ...entryParts(text)].join('/'),
        );
        expect(text).not.toContain('\0');
      }),
    );
  });

  it.each(['a', 'a/b', '...', 'a b', 'ü', '-x', 'a\\b', 'x'.repeat(255)])('accepts %s', (text) => {
    expect(entryParts(text).join('/')).toBe(text);
  });
});
