import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contentOf, SteadyFile, smallContent } from '../../../../lib/transfer/steadyFile.ts';
import { type TreeEntry, walkTree } from '../../../../lib/transfer/tree.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

async function entryOf(path: string): Promise<TreeEntry> {
  for await (const entry of walkTree(path, { prefix: 'f' })) return entry;
  throw new Error(`there is no ${path}`);
}

const CONTENT = 'x'.repeat(10_000);

/** A file whose time is long ago, so that a change always shows. */
async function makeFile(): Promise<{ path: string; entry: TreeEntry }> {
  const path = join(tempDir(), 'f');
  writeFileSync(path, CONTENT);
  utimesSync(path, 1e9, 1e9);
  return { path, entry: await entryOf(path) };
}

/** Reads a file in pieces, and does something to it after the first one. */
async function readWhile(entry: TreeEntry, change: () => void): Promise<string> {
  const file = new SteadyFile(entry);
  const pieces: Buffer[] = [];
  try {
    for await (const piece of contentOf(file, 1000)) {
      if (pieces.length === 0) change();
      pieces.push(piece);
    }
  } finally {
    await file.close();
  }
  return Buffer.concat(pieces).toString();
}

describe('a file that is sent', () => {
  it.each<[string, (path: string) => void, string]>([
    ['shrinks', (path) => truncateSync(path, 5), 'shrank'],
    ['grows', (path) => appendFileSync(path, 'y'), 'grew'],
    ['gets other content', (path) => writeFileSync(path, CONTENT.replaceAll('x', 'y')), 'changed'],
  ])('fails when it %s meanwhile', async (_how, change, word) => {
    const { path, entry } = await makeFile();
    await expect(readWhile(entry, () => change(path))).rejects.toMatchObject({
      name: 'SourceError',
      message: `${path} ${word} while it was read`,
    });
  });

  it('is read to its own end when another one takes its place, or it is removed', async () => {
    const { path, entry } = await makeFile();
    writeFileSync(`${path}.new`, 'new');
    expect(await readWhile(entry, () => renameSync(`${path}.new`, path))).toBe(CONTENT);
    const again = await makeFile();
    expect(await readWhile(again.entry, () => rmSync(again.path))).toBe(CONTENT);
  });

  it('that grows as fast as it is read has an end', async () => {
    const { path, entry } = await makeFile();
    const file = new SteadyFile(entry);
    const grow = async () => {
      for await (const piece of contentOf(file, 1000)) appendFileSync(path, piece);
    };
    await expect(grow()).rejects.toThrow('grew');
    await file.close();
  });

  it('says what cannot be read', async () => {
    // Only /proc has a file that opens and fails to be read, whatever the user.
    if (!existsSync('/proc/self/mem')) return;
    const file = new SteadyFile(await entryOf('/proc/self/mem'));
    await expect(file.read(Buffer.alloc(10), 0)).rejects.toMatchObject({
      name: 'SourceError',
      message: 'cannot read /proc/self/mem: EIO',
    });
    await file.close();
  });
});

describe('the content of a small file', () => {
  it.each([0, 1, 4095, 4096, 10_000])('of %d bytes is all of it', async (bytes) => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, 'x'.repeat(bytes));
    const entry = await entryOf(path);
    const read = (most: number) => {
      const file = new SteadyFile(entry);
      const content = smallContent(file, most);
      file.closeSync();
      return content?.toString();
    };
    expect(read(20_000)).toBe('x'.repeat(bytes));
    expect(read(bytes)).toBe('x'.repeat(bytes));
    if (bytes > 0) expect(read(bytes - 1)).toBeUndefined();
  });

  it('is read whatever the file says about its size', async () => {
    if (!existsSync('/proc/version')) return;
    for (const path of ['/proc/version', '/sys/kernel/uevent_seqnum'].filter(existsSync)) {
      const file = new SteadyFile(await entryOf(path));
      const content = smallContent(file, 64 * 1024);
      file.closeSync();
      expect(content?.toString()).toBe(readFileSync(path, 'utf8'));
    }
  });
});
