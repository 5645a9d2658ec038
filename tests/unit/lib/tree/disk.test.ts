import * as fs from 'node:fs';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { PRIVATE } from '../../../../lib/host/rights.ts';
import type { TreeNode as Tree } from '../../../../lib/tree/node.ts';
import { isSafeName } from '../../../../lib/tree/paths.ts';
import { type JsonValue, parseJson } from '../../../../lib/wire/json.ts';
import { dumps } from '../../../../lib/wire/pythonJson.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** The renames that the disk refuses. */
let isRefused = (_from: string, _to: string) => false;
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  renameSync: (from: string, to: string) => {
    if (isRefused(from, to)) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    fs.renameSync(from, to);
  },
}));
const { readLeaf, readTree, writeLeaf, writeTree } = await import('../../../../lib/tree/disk.ts');
const { TreeNode } = await import('../../../../lib/tree/node.ts');

const unexpected = (file: string, reason: string): never => {
  throw new Error(`${file} was not readable: ${reason}`);
};

let top = '';
let drafts = '';
const place = (name: string) => join(top, name);
const how = (fsync = false) => ({ drafts, fsync, rights: PRIVATE });

beforeEach(() => {
  top = tempDir();
  drafts = place('drafts');
  mkdirSync(drafts);
});

afterEach(() => {
  isRefused = () => false;
});

/** Names that a disk takes, and that differ there: no lone surrogates, which have no UTF-8. */
const name = fc
  .oneof(
    fc.constantFrom('.hidden', '...', ' ', 'a b', 'ü', '😀', '__proto__', '0', '10', '\n', '-rf'),
    fc.constantFrom('x'.repeat(255), 'ü'.repeat(127), '~', '%2F', '\\', 'NUL', 'constructor'),
    fc.string({ unit: 'binary', maxLength: 30 }),
  )
  .filter((text) => isSafeName(text));
const leaf = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>;
const path = fc.array(name, { minLength: 1, maxLength: 3 });
const tree = fc
  .record({ leaves: fc.array(fc.tuple(path, leaf)), folders: fc.array(path, { maxLength: 3 }) })
  .map(({ leaves, folders }) => {
    const node = new TreeNode();
    for (const [at, value] of leaves) node.touch(at, value);
    for (const at of folders) node.mkdir(at);
    return node;
  });

/** A tree as text; the order of its entries does not count. */
function shown(node: Tree | undefined): unknown {
  if (node === undefined) return undefined;
  return {
    leaves: new Map([...node.leaves].map(([at, value]) => [at, dumps(value)])),
    children: new Map([...node.children].map(([at, child]) => [at, shown(child)])),
  };
}

describe('writeTree and readTree', () => {
  it.each([false, true])('read back whatever was written (fsync: %s)', (fsync) => {
    let count = 0;
    fc.assert(
      fc.property(tree, (node) => {
        count += 1;
        const folder = place(`tree-${count}`);
        const weight = writeTree(folder, node, how(fsync));
        const read = readTree(folder, unexpected);
        expect(shown(read?.tree)).toEqual(shown(node));
        expect(read?.weight).toBe(weight);
        expect(readdirSync(drafts)).toEqual([]);
      }),
      { numRuns: fsync ? 5 : 30 },
    );
  });

  it('keep numbers as they were written', () => {
    const node = new TreeNode();
    node.touch(['meta'], parseJson('{"a": 1.0, "b": 12345678901234567890}'));
    writeTree(place('t'), node, how());
    expect(readFileSync(join(place('t'), 'meta'), 'utf8')).toBe(
      '{"a": 1.0, "b": 12345678901234567890}',
    );
    expect(shown(readTree(place('t'), unexpected)?.tree)).toEqual(shown(node));
  });

  it('keep an empty node as an empty folder', () => {
    const node = new TreeNode();
    node.mkdir(['end']);
    writeTree(place('t'), node, how());
    expect(readdirSync(join(place('t'), 'end'))).toEqual([]);
    expect(readTree(place('t'), unexpected)?.tree.toJson()).toEqual({ end: {} });
  });

  it('replace a whole tree', () => {
    const old = new TreeNode();
    old.touch(['gone', 'x'], 1);
    const fresh = new TreeNode();
    fresh.touch(['cmd'], 'true');
    writeTree(place('t'), old, how());
    writeTree(place('t'), fresh, how());
    expect(readTree(place('t'), unexpected)?.tree.toJson()).toEqual({ cmd: 'true' });
    expect(readdirSync(drafts)).toEqual([]);
  });

  it('keep the old tree when the disk refuses the new one in the last step', () => {
    const [old, fresh] = [new TreeNode(), new TreeNode()];
    old.touch(['cmd'], 'old');
    fresh.touch(['cmd'], 'new');
    writeTree(place('t'), old, how());
    isRefused = (from, to) => to === place('t') && !from.includes('old-');
    expect(() => writeTree(place('t'), fresh, how())).toThrow('EIO');
    expect(readTree(place('t'), unexpected)?.tree.toJson()).toEqual({ cmd: 'old' });
    expect(readdirSync(drafts)).toEqual([]);
    isRefused = () => false;
    writeTree(place('t'), fresh, how());
    expect(readTree(place('t'), unexpected)?.tree.toJson()).toEqual({ cmd: 'new' });
  });

  it('leave no draft behind when the disk refuses the place', () => {
    writeFileSync(place('file'), '');
    const node = new TreeNode();
    node.touch(['cmd'], 'true');
    expect(() => writeTree(join(place('file'), 't'), node, how())).toThrow();
    expect(readdirSync(drafts)).toEqual([]);
  });
});

describe('readTree', () => {
  it('blames no leaf when the process has no file left to open it with', () => {
    const node = new TreeNode();
    node.touch(['cmd'], 'true');
    writeTree(place('t'), node, how());
    const taken: number[] = [];
    try {
      expect(() => {
        for (;;) taken.push(openSync('/dev/null', 'r'));
      }).toThrow('EMFILE');
      expect(() => readTree(place('t'), unexpected)).toThrow('EMFILE');
      expect(() => readLeaf(join(place('t'), 'cmd'), unexpected)).toThrow('EMFILE');
    } finally {
      for (const fd of taken) closeSync(fd);
    }
    expect(readTree(place('t'), unexpected)?.tree.toJson()).toEqual({ cmd: 'true' });
  });

  it('finds nothing where there is no folder', () => {
    writeFileSync(place('file'), '1');
    expect(readTree(place('nosuch'), unexpected)).toBeUndefined();
    expect(readTree(place('file'), unexpected)).toBeUndefined();
  });

  it('puts epoch 10 after epoch 9, however the disk lists them', () => {
    const node = new TreeNode();
    for (const k of [10, 9, 0, 11, 2]) node.touch([String(k), 'endInfo'], k);
    writeTree(place('t'), node, how());
    expect([...(readTree(place('t'), unexpected)?.tree.children.keys() ?? [])]).toEqual([
      ...['0', '2', '9', '10', '11'],
    ]);
  });

  it.each(['', '{"a": ', 'hello', "{'a': 1}", '\0\0\0\0', '[1, 2', '"half'])(
    'reports a leaf of %j and reads the others',
    (content) => {
      mkdirSync(join(place('t'), 'end'), { recursive: true });
      writeFileSync(join(place('t'), 'cmd'), '"true"');
      writeFileSync(join(place('t'), 'end', 'bad'), content);
      const reported: string[] = [];
      const read = readTree(place('t'), (file) => reported.push(file));
      expect(reported).toEqual([join(place('t'), 'end', 'bad')]);
      expect(read?.tree.toJson()).toEqual({ cmd: 'true', end: {} });
    },
  );

  it('reports a link that leads to no file', () => {
    mkdirSync(place('t'));
    symlinkSync(top, join(place('t'), 'loop'));
    const reported: string[] = [];
    expect(readTree(place('t'), (file) => reported.push(file))?.tree.toJson()).toEqual({});
    expect(reported).toEqual([join(place('t'), 'loop')]);
  });
});

describe('readLeaf', () => {
  it('tells its value and the size of its text', () => {
    writeFileSync(place('leaf'), '{"a": [1]}');
    expect(readLeaf(place('leaf'), unexpected)).toEqual({ value: { a: [1] }, length: 10 });
    expect(readLeaf(place('nosuch'), unexpected)).toBeUndefined();
  });
});

describe('writeLeaf', () => {
  it('puts a new file in the place of the old one, and makes missing folders', () => {
    const file = join(place('t'), 'end', '0', 'endInfo');
    expect(writeLeaf(file, { a: 1 }, how())).toBe('{"a": 1}'.length);
    const before = statSync(file).ino;
    expect(writeLeaf(file, ['ü'], how(true))).toBe('["\\u00fc"]'.length);
    expect(readFileSync(file, 'utf8')).toBe('["\\u00fc"]');
    expect(statSync(file).ino).not.toBe(before);
    expect(readdirSync(drafts)).toEqual([]);
  });

  it('leaves the old value when the draft cannot be written', () => {
    const file = place('leaf');
    writeLeaf(file, 'old', how());
    expect(() => writeLeaf(file, 'new', { ...how(), drafts: place('nosuch') })).toThrow('ENOENT');
    expect(readLeaf(file, unexpected)?.value).toBe('old');
  });

  it('leaves no draft behind when the disk refuses the place', () => {
    mkdirSync(join(place('folder'), 'full'), { recursive: true });
    expect(() => writeLeaf(place('folder'), 1, how())).toThrow();
    expect(readdirSync(drafts)).toEqual([]);
    expect(existsSync(join(place('folder'), 'full'))).toBe(true);
  });
});
