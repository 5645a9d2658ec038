import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { OpenFolder } from '../../../../lib/transfer/openFolder.ts';
import { removeIn, removeTree } from '../../../../lib/transfer/removeTree.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

it('removes a tree with links, also one that nobody may write in, and what is not there', async () => {
  const root = tempDir();
  const [tree, outside] = [join(root, 'tree'), join(root, 'outside')];
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'f'), '');
  writeFileSync(join(tree, 'a/b/f'), '');
  symlinkSync(outside, join(tree, 'a/out'));
  symlinkSync('nowhere', join(tree, 'dangling'));
  chmodSync(join(tree, 'a/b'), 0o500);
  chmodSync(join(tree, 'a'), 0o500);
  await removeTree(`${tree}/`, root);
  expect(readdirSync(root)).toEqual(['outside']);
  expect(existsSync(join(outside, 'f'))).toBe(true);
  await removeTree(tree, root);
  await removeTree(join(tree, 'a'), root);
});

it('removes a tree that is deeper than a process may have files open', async () => {
  const root = tempDir();
  const path = Array.from({ length: 1500 }, () => 'd').join('/');
  mkdirSync(join(root, 'tree', path), { recursive: true });
  await removeTree(join(root, 'tree'), root);
  expect(readdirSync(root)).toEqual([]);
});

it('removes nothing behind a link that takes the place of the folder above', async () => {
  if (process.platform !== 'linux') return;
  const root = tempDir();
  const [store, outside] = [join(root, 'store'), join(root, 'outside')];
  for (const folder of [join(store, 'd/tree'), join(outside, 'tree')]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'f'), '');
  }
  const held = OpenFolder.at(join(store, 'd'), store);
  renameSync(join(store, 'd'), join(store, 'moved'));
  symlinkSync(outside, join(store, 'd'));
  await expect(removeTree(join(store, 'd/tree'), store)).rejects.toThrow('leads outside');
  await removeIn(held, join(store, 'd/tree'));
  held.close();
  expect(readdirSync(join(store, 'moved'))).toEqual([]);
  expect(existsSync(join(outside, 'tree/f'))).toBe(true);
});
