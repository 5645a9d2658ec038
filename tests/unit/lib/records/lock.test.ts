import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { lockFolder } from '../../../../lib/records/lock.ts';
import { itWithEngine } from '../../../helpers/engine.ts';
import { STRANGER, strangerListens, strangerMissing } from '../../../helpers/stranger.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

describe('lockFolder', () => {
  it('has one owner at a time, and leaves nothing behind', async () => {
    const folder = tempDir();
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(folder),
      hint: expect.stringContaining('--DBpath'),
    });
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    (await lockFolder(folder)).release();
  });

  it('takes a folder whose owner has been killed', async () => {
    const folder = tempDir();
    writeFileSync(join(folder, 'pman.sock'), '');
    (await lockFolder(folder)).release();
    expect(existsSync(join(folder, 'pman.sock'))).toBe(false);
  });

  itWithEngine('says when a process of another user has it', strangerMissing, async () => {
    const folder = tempDir();
    await strangerListens(join(folder, 'pman.sock'), '');
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`another user (uid ${STRANGER})`),
      hint: expect.stringContaining('pman.sock'),
    });
  });

  it('keeps folders apart, also those with long names', async () => {
    const [a, b] = [tempDir('a'.repeat(120)), tempDir('a'.repeat(120))];
    const locks = [await lockFolder(a), await lockFolder(b)];
    await expect(lockFolder(a)).rejects.toMatchObject({ code: 'conflict' });
    for (const lock of locks) lock.release();
  });

  it('is got by one of two that want it at once', async () => {
    const folder = tempDir();
    const wanted = await Promise.allSettled([lockFolder(folder), lockFolder(folder)]);
    const got = wanted.filter((outcome) => outcome.status === 'fulfilled');
    expect(got).toHaveLength(1);
    for (const { value } of got) value.release();
  });

  it('says which folder cannot be taken, and what to do', async () => {
    await expect(lockFolder(join(tempDir(), 'nosuch'))).rejects.toMatchObject({
      ...{ code: 'storage', hint: expect.stringContaining('--DBpath') },
      message: expect.stringContaining('nosuch'),
    });
  });
});
