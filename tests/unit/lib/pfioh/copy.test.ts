import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { copyLocally } from '../../../../lib/pfioh/copy.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

it('a tree that changes while it is copied is no copy, and one that does not is', async () => {
  const folder = tempDir();
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  mkdirSync(from);
  mkdirSync(to);
  writeFileSync(join(from, 'f'), 'x');
  const options = { from, to, symlink: false, confined: false };
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
