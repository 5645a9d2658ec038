import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readHandle } from '../../../../lib/transfer/readHandle.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

async function openFile(content: string) {
  const path = join(tempDir(), 'file');
  writeFileSync(path, content);
  return open(path, 'r');
}

describe('readHandle', () => {
  it('gives the content and leaves the file open', async () => {
    const file = await openFile('content');
    expect((await readHandle(file).toArray()).join('')).toBe('content');
    expect((await file.stat()).size).toBe(7);
    await file.close();
  });

  it('fails for its reader alone when the file is closed before its end', async () => {
    const file = await openFile('content');
    const read = readHandle(file);
    const unread = readHandle(file);
    await file.close();
    await expect(read.toArray()).rejects.toThrow('file closed');
    // Nobody listens to this one: an error without a listener would end the process.
    const failed = new Promise((resolve) => unread.once('close', resolve));
    unread.resume();
    await failed;
    expect(unread.errored?.message).toBe('file closed');
  });
});
