import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Places } from '../../../../lib/pfioh/places.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let outer = '';
let store = '';
let places: Places;

beforeAll(() => {
  outer = realpathSync(tempDir());
  store = join(outer, 'store');
  mkdirSync(join(store, 'a/b'), { recursive: true });
  writeFileSync(join(store, 'f'), '');
  symlinkSync('a/b', join(store, 'inside'));
  symlinkSync('..', join(store, 'up'));
  symlinkSync('/etc', join(store, 'etc'));
  symlinkSync(join(outer, 'nothing'), join(store, 'dangling'));
  symlinkSync('up', join(store, 'twice'));
  places = new Places(store);
});

/** What paths of hostile clients are made of. */
const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    'f',
    'inside',
    'up',
    'etc',
    'dangling',
    'twice',
    'new',
    '..',
    '.',
    '',
    '~',
    '%2e%2e',
  ],
);
const hostilePath = fc
  .tuple(fc.constantFrom('', '/', './', '../'), fc.array(piece, { minLength: 1, maxLength: 7 }))
  .map(([start, pieces]) => start + pieces.join('/'));

function realOrOwn(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const at = path.replace(/\/+$/, '').lastIndexOf('/');
    return join(realOrOwn(path.slice(0, at) || '/'), path.slice(at));
  }
}

describe('Places with a store', () => {
  it('never resolves a path to anything outside of the store, links followed', () => {
    fc.assert(
      fc.property(hostilePath, fc.boolean(), (path, absolute) => {
        const asked = absolute ? `${store}/${path}` : path;
        let resolved: string;
        try {
          resolved = places.path(asked);
        } catch (error) {
          expect(error).toMatchObject({ code: 'forbidden' });
          return;
        }
        expect(`${realOrOwn(resolved)}/`.startsWith(`${store}/`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('never resolves a key to anything but a folder of its own in the store', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), piece, hostilePath), (key) => {
        let resolved: string;
        try {
          resolved = places.key(key);
        } catch {
          return;
        }
        expect(resolved).toBe(`${store}/key-${key}/`);
      }),
    );
  });

  it.each([
    ['f', 'f'],
    ['./a//b', 'a/b'],
    ['a/../f', 'f'],
    ['inside/new', 'inside/new'],
    ['.', ''],
  ])('resolves %s below the store', (path, expected) => {
    expect(places.path(path).replace(/\/$/, '')).toBe(join(store, expected).replace(/\/$/, ''));
  });

  it.each(['etc/passwd', 'up/other', 'twice', 'dangling', 'dangling/x', '/', '../store2', '..'])(
    'refuses %s',
    (path) => {
      expect(() => places.path(path)).toThrow(/outside of the store/);
    },
  );

  it('does not take a folder with the same beginning for the store', () => {
    expect(() => places.path(`${store}2/f`)).toThrow(/outside of the store/);
  });

  it('keeps a / at the end, and refuses its own names and NUL', () => {
    expect(places.path('a/')).toBe(join(store, 'a/'));
    expect(() => places.path(`.pfioh-${'0'.repeat(32)}.part`)).toThrow(/reserved/);
    expect(() => places.path('a\0')).toThrow(/NUL/);
  });

  it('keeps subfolders below the folder they are of', () => {
    expect(places.below(join(store, 'a'), 'b')).toBe(join(store, 'a/b'));
    expect(() => places.below(join(store, 'a'), '../f')).toThrow(/outside/);
  });
});

describe('Places without a store', () => {
  it('takes any absolute path, and puts keys below /tmp', () => {
    const open = new Places(undefined);
    expect(open.path('/etc/passwd')).toBe('/etc/passwd');
    expect(open.key('k')).toBe('/tmp/key-k/');
    expect(() => open.key('../x')).toThrow(/one name/);
  });
});
