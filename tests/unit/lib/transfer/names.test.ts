import { normalize } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { entryParts, requirePossible } from '../../../../lib/transfer/names.ts';

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

describe('requirePossible', () => {
  it.each([
    ['/a'.repeat(450_000), 'refused path: it has 4096 bytes or more'],
    [`${'/a'.repeat(450_000)}\0`, 'refused path: it has 4096 bytes or more'],
    ['ü'.repeat(2048), 'refused path: it has 4096 bytes or more'],
    ['/a\0', 'refused path: it has a NUL character'],
    [`/${'x'.repeat(256)}`, `refused path: the name "${'x'.repeat(40)}…" has more than 255 bytes`],
  ])('refuses a path by the first fault that costs no more than a look: %#', (path, message) => {
    expect(() => requirePossible(path)).toThrow(message);
  });
});
