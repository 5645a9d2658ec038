import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PmanError } from '../../../../lib/errors.ts';
import { OpenFolder } from '../../../../lib/transfer/openFolder.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

it('a folder that is held is reached whatever takes its name; a link on the way below it is refused', () => {
  if (!existsSync('/proc/self/fd')) return;
  const root = tempDir();
  const [store, outside] = [join(root, 'store'), join(root, 'outside')];
  mkdirSync(join(store, 'd/sub/deep'), { recursive: true });
  mkdirSync(join(outside, 'sub/deep'), { recursive: true });
  const held = OpenFolder.at(join(store, 'd'), store);
  renameSync(join(store, 'd'), join(store, 'moved'));
  symlinkSync(outside, join(store, 'd'));
  writeFileSync(held.way(join(store, 'd/f')), '');
  expect([existsSync(join(store, 'moved/f')), existsSync(join(outside, 'f'))]).toEqual([
    true,
    false,
  ]);

  const inner = held.below(['sub', 'deep']);
  writeFileSync(inner.way('f'), '');
  inner.close();
  expect(existsSync(join(store, 'moved/sub/deep/f'))).toBe(true);
  renameSync(join(store, 'moved/sub'), join(store, 'away'));
  symlinkSync(join(outside, 'sub'), join(store, 'moved/sub'));
  expect(() => held.below(['sub', 'deep'])).toThrow('it is no folder by now');

  expect(() => OpenFolder.at(join(store, 'd'), store)).toThrow('leads outside');
  const error = held.said(new PmanError('storage', `cannot write ${held.itself}/f`));
  expect(error).toMatchObject({ message: `cannot write ${store}/d/f`, code: 'storage' });
  held.close();
});
