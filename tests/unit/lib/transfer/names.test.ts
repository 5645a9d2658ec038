import { normalize } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkLink, entryParts } from '../../../../lib/transfer/names.ts';

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

describe('checkLink', () => {
  it('accepts only links that stay in the tree', () => {
    fc.assert(
      fc.property(path, fc.nat(4), (target, depth) => {
        fc.pre(accepts(() => checkLink('l', target, depth)));
        const folders = Array.from({ length: depth }, (_, i) => `d${i}`).join('/');
        expect(`${normalize(`/tree/${folders}/${target}`)}/`).toMatch(/^\/tree\//);
      }),
    );
  });

  it.each([
    ['file', 0],
    ['./file', 0],
    ['../file', 1],
    ['../../a/b', 2],
  ])('accepts %s at depth %i', (target, depth) => {
    expect(accepts(() => checkLink('l', target, depth))).toBe(true);
  });

  // Through another link `a/..` may be anywhere.
  it.each([
    ['a/..', 0],
    ['..', 0],
    ['/a', 3],
    ['', 1],
  ])('refuses %j at depth %i', (target, depth) => {
    expect(accepts(() => checkLink('l', target, depth))).toBe(false);
  });
});
