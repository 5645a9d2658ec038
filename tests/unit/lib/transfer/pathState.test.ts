import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pathState, provideFolder } from '../../../../lib/transfer/pathState.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('provideFolder', () => {
  it('makes a folder with those above it, and is content with one that is there', () => {
    const path = join(tempDir(), 'a/b/');
    provideFolder(path);
    provideFolder(path);
    expect(pathState(path)).toEqual({ status: true, isfile: false, isdir: true });
  });

  it.each([
    ['file', 'conflict', 'exists and is no folder'],
    ['file/', 'conflict', 'exists and is no folder'],
    ['nowhere', 'conflict', 'exists and is no folder'],
    ['file/below', 'not_found', 'cannot make the folder'],
  ])('says what is in the way at %s', (name, code, why) => {
    const folder = tempDir();
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('nothing', join(folder, 'nowhere'));
    expect(() => provideFolder(`${folder}/${name}`)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(why) }),
    );
  });

  it.each([
    ['file', 'conflict'],
    ['file/below', 'not_found'],
    ['file/below/deeper', 'not_found'],
  ])('says in a store, too, what is in the way at %s', (name, code) => {
    const store = tempDir();
    writeFileSync(join(store, 'file'), '');
    expect(() => provideFolder(`${store}/${name}`, store)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('comes back from where nobody can make a folder', () => {
    expect(() => provideFolder('/proc/zz/yy')).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  });
});
