import { createHash } from 'node:crypto';
import { renameSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { digestIn } from '../../../../lib/transfer/digestIn.ts';
import { HeldTree } from '../../../../lib/transfer/heldTree.ts';
import { KnownDigests } from '../../../../lib/transfer/knownDigests.ts';
import { OpenFolder } from '../../../../lib/transfer/openFolder.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const BYTES = 100_000;
const content = (mark: number) => Buffer.alloc(BYTES, mark);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let tree: HeldTree;
let held: OpenFolder;

beforeEach(() => {
  folder = tempDir();
  held = OpenFolder.at(folder, undefined);
  tree = new HeldTree(held);
});

afterEach(() => {
  jest.restoreAllMocks();
  tree.close();
  held.close();
});

const HOUR_MS = 3600 * 1000;

/** As if an hour had passed: what lies there has settled. */
function later(): void {
  const now = Date.now() + HOUR_MS;
  jest.spyOn(Date, 'now').mockReturnValue(now);
}

const ask = async (known: KnownDigests) => (await digestIn(tree, 'f', BYTES, known))?.sha256;

describe('a digest that is known', () => {
  it('is found by what says that the file is the same', async () => {
    const path = join(folder, 'f');
    writeFileSync(path, content(1));
    const known = new KnownDigests();
    const stats = () => statSync(path, { bigint: true });
    later();
    expect(await ask(known)).toBe(sha256(content(1)));
    expect(known.find(stats())).toBe(sha256(content(1)));
    known.add(stats(), 'as it is kept', Date.now());
    expect(await ask(known)).toBe('as it is kept');
  });

  it('is not that of other content, though its size and time are the same', async () => {
    const path = join(folder, 'f');
    writeFileSync(path, content(1));
    const { atime, mtime } = statSync(path);
    const known = new KnownDigests();
    later();
    await ask(known);
    const { ctimeNs } = statSync(path, { bigint: true });
    do {
      writeFileSync(path, content(2));
      utimesSync(path, atime, mtime);
    } while (statSync(path, { bigint: true }).ctimeNs === ctimeNs);
    expect(await ask(known)).toBe(sha256(content(2)));
    writeFileSync(join(folder, 'g'), content(3));
    utimesSync(join(folder, 'g'), atime, mtime);
    renameSync(join(folder, 'g'), path);
    expect(await ask(known)).toBe(sha256(content(3)));
    truncateSync(path, BYTES - 1);
    expect(await ask(known)).toBeUndefined();
  });

  it('is not kept of a file that has just changed: the next change may have the same time', async () => {
    writeFileSync(join(folder, 'f'), content(1));
    const known = new KnownDigests();
    await ask(known);
    expect(known.find(statSync(join(folder, 'f'), { bigint: true }))).toBeUndefined();
  });

  it('is not kept of more files than there is memory for', () => {
    writeFileSync(join(folder, 'f'), content(1));
    const stats = statSync(join(folder, 'f'), { bigint: true });
    const known = new KnownDigests();
    const now = Date.now() + HOUR_MS;
    const of = (ino: number) => Object.assign(Object.create(stats), { ino: BigInt(ino) });
    for (let ino = 0; ino <= 20_000; ino += 1) known.add(of(ino), String(ino), now);
    expect([0, 1, 20_000].map((ino) => known.find(of(ino)))).toEqual([undefined, '1', '20000']);
  });
});
