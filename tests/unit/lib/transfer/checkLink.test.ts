import { mkdirSync, readlinkSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { normalize } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkLink, goesUpLater, type Look } from '../../../../lib/transfer/checkLink.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const nothing: Look = () => undefined;
const part = fc.constantFrom('a', 'b', '.', '..', '', '\0', 'c d');
const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
const folders = (depth: number) => Array.from({ length: depth }, (_, i) => `d${i}`);

function accepts(target: string, depth: number, look: Look = nothing): boolean {
  try {
    checkLink({ name: 'l', target, above: folders(depth) }, look);
    return true;
  } catch {
    return false;
  }
}

describe('checkLink', () => {
  it('accepts only links that stay in the tree', () => {
    fc.assert(
      fc.property(path, fc.nat(4), fc.boolean(), (target, depth, known) => {
        fc.pre(accepts(target, depth, known ? () => 'folder' : nothing));
        const above = folders(depth).join('/');
        expect(`${normalize(`/tree/${above}/${target}`)}/`).toMatch(/^\/tree\//);
      }),
    );
  });

  it.each([
    ['file', 0],
    ['./file', 0],
    ['../file', 1],
    ['../../a/b', 2],
    ['..', 1],
  ])('accepts %s at depth %i', (target, depth) => expect(accepts(target, depth)).toBe(true));

  // Through another link `a/..` may be anywhere, so what is not known is no way up.
  it.each([
    ['a/..', 0],
    ['..', 0],
    ['/a', 3],
    ['', 1],
    ['a\0b', 1],
  ])('refuses %j at depth %i', (target, depth) => expect(accepts(target, depth)).toBe(false));

  const tree: Readonly<Record<string, ReturnType<Look>>> = {
    sub: 'folder',
    'sub/deep': 'folder',
    file: 'file',
    top: { target: '.' },
    down: { target: 'sub/deep' },
    loop: { target: 'loop' },
    out: { target: '/etc' },
  };
  const inTree: Look = (parts) => tree[parts.join('/')];

  it.each([
    ['sub/../file', 'file'],
    ['sub/deep/../../file', 'file'],
    ['down/../x', 'sub/x'],
    ['down/../../file', 'file'],
    ['top/sub/../file', 'file'],
    ['sub/..', '.'],
    ['loop/../file', 'loop/../file'],
  ])('finds its way through the links of the tree: %s', (target, way) => {
    expect(checkLink({ name: 'l', target, above: [] }, inTree)).toBe(way);
  });

  it.each(['sub/../..', 'top/..', 'down/../../..', 'file/..', 'out/..', 'missing/../x'])(
    'refuses a way that leads out by a link, or cannot be known: %s',
    (target) => {
      expect(() => checkLink({ name: 'l', target, above: [] }, inTree)).toThrow('outside');
    },
  );

  it('says the way that the system goes', () => {
    const names = fc.constantFrom('a', 'b', 'a/b', 'l', 'a/l', 'f');
    const targets = fc
      .array(fc.constantFrom('a', 'b', 'l', 'f', '..', '.'), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(targets, { minLength: 2, maxLength: 2 }), names, (two, place) => {
        const root = join(tempDir(), 'tree');
        mkdirSync(join(root, 'a/b'), { recursive: true });
        writeFileSync(join(root, 'f'), '');
        const [first = '', second = ''] = two;
        symlinkSync(first, join(root, 'l'));
        fc.pre(!['a', 'a/b', 'f', 'l'].includes(place));
        const link = join(root, place);
        symlinkSync(second, link);
        const look: Look = (parts) => {
          const at = join(root, ...parts);
          if (at.endsWith('/l')) return { target: readlinkSync(at) };
          return at.endsWith('/f')
            ? 'file'
            : ['a', 'a/b'].includes(parts.join('/'))
              ? 'folder'
              : undefined;
        };
        let way: string;
        let real: string;
        try {
          const above = place.split('/').slice(0, -1);
          checkLink({ name: 'l', target: first, above: [] }, look);
          way = checkLink({ name: 'l', target: second, above }, look);
          real = realpathSync.native(link);
        } catch {
          return;
        }
        expect(realpathSync.native(join(dirname(link), way))).toBe(real);
        expect(`${real}/`.startsWith(`${root}/`)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('goesUpLater', () => {
  it.each<[string, boolean]>([
    ['a/..', true],
    ['../a/../b', true],
    ['a/b/../c', true],
    ['..a/../b', true],
    ['../../a', false],
    ['./../a', false],
    ['a/..b', false],
    ['a/b', false],
    ['..', false],
  ])('of %s is %s', (target, later) => expect(goesUpLater(target)).toBe(later));
});
