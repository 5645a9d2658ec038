import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { copyLocally } from '../../../../lib/pfioh/copy.ts';
import { copyWithin, lookForCopy } from '../../../../lib/pfioh/copyWithin.ts';
import { OpenFolder } from '../../../../lib/transfer/openFolder.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

it('a tree that changes while it is copied is no copy, and one that does not is', async () => {
  const folder = tempDir();
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  mkdirSync(from);
  mkdirSync(to);
  writeFileSync(join(from, 'f'), 'x');
  const options = { from, to, symlink: false, within: undefined };
  let isDone = false;
  const copying = copyLocally(options).finally(() => {
    isDone = true;
  });
  copying.catch(() => {}); // Waited for below.
  while (!isDone) {
    appendFileSync(join(from, 'f'), 'x');
    await nextTurn();
  }
  await expect(copying).rejects.toThrow('changed while it was read');
  expect(readdirSync(to)).toEqual([]);
  await copyLocally(options);
  expect(readFileSync(join(to, 'from/f'), 'utf8')).toBe(readFileSync(join(from, 'f'), 'utf8'));
});

it('a copy in a store has the modes, times and links of the tree', async () => {
  const store = tempDir();
  const [from, to] = [join(store, 'from'), join(store, 'to')];
  mkdirSync(join(from, 'sub'), { recursive: true });
  mkdirSync(to);
  writeFileSync(join(from, 'sub/f'), 'x', { mode: 0o640 });
  symlinkSync('sub/f', join(from, 'l'));
  utimesSync(join(from, 'sub/f'), 1000, 2000);
  utimesSync(join(from, 'sub'), 1000, 3000);
  await copyLocally({ from, to, symlink: false, within: store });
  const copied = (name: string) => {
    const { mode, mtimeMs } = lstatSync(join(to, 'from', name));
    return [mode, mtimeMs];
  };
  expect(readFileSync(join(to, 'from/sub/f'), 'utf8')).toBe('x');
  expect(readlinkSync(join(to, 'from/l'))).toBe('sub/f');
  expect([copied('sub/f'), copied('sub')]).toEqual([
    [lstatSync(join(from, 'sub/f')).mode, 2_000_000],
    [lstatSync(join(from, 'sub')).mode, 3_000_000],
  ]);
  expect(readdirSync(to)).toEqual(['from']);
});

it('a folder of a store that becomes a link while it is copied leads nowhere', async () => {
  const root = tempDir();
  const [store, outside] = [join(root, 'store'), join(root, 'outside')];
  for (const folder of [join(store, 'from/sub'), join(store, 'to'), outside]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(join(store, 'from/sub/f'), 'mine');
  writeFileSync(join(outside, 'f'), 'canary');
  const source = await lookForCopy(join(store, 'from'), store);
  renameSync(join(store, 'from/sub'), join(store, 'away'));
  symlinkSync(outside, join(store, 'from/sub'));
  const into = OpenFolder.at(join(store, 'to'), store);
  await expect(copyWithin(source, into)).rejects.toThrow('a link took the place of');
  into.close();
  expect(readdirSync(join(store, 'to'), { recursive: true })).not.toContain('copy/sub/f');
});
