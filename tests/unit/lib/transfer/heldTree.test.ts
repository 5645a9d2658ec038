import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { HeldTree } from '../../../../lib/transfer/heldTree.ts';
import { OpenFolder } from '../../../../lib/transfer/openFolder.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

it('makes and finds what lies below a folder, and goes through no link', () => {
  if (process.platform !== 'linux') return;
  const root = tempDir();
  mkdirSync(join(root, 'top'));
  mkdirSync(join(root, 'outside'));
  const top = OpenFolder.at(join(root, 'top'), root);
  const tree = new HeldTree(top);
  tree.makeFolder('a/b/c');
  tree.makeFolder('a/d');
  for (const name of ['a/b/c/1', 'a/b/2', 'a/d/3', 'a/b/c/4', '5'])
    writeFileSync(tree.way(name), '');
  expect(readdirSync(join(root, 'top'), { recursive: true }).sort()).toEqual(
    ['5', 'a', 'a/b', 'a/b/2', 'a/b/c', 'a/b/c/1', 'a/b/c/4', 'a/d', 'a/d/3'].sort(),
  );
  expect(() => tree.makeFolder('5/x')).toThrow('it is no folder by now');
  renameSync(join(root, 'top/a/d'), join(root, 'away'));
  symlinkSync(join(root, 'outside'), join(root, 'top/a/d'));
  expect(() => tree.way('a/d/x')).toThrow('it is no folder by now');
  expect(() => tree.makeFolder('a/d/x')).toThrow('it is no folder by now');
  expect(() => tree.folder('a/d')).toThrow('it is no folder by now');
  tree.close();
  top.close();
  expect(readdirSync(join(root, 'outside'))).toEqual([]);
});
