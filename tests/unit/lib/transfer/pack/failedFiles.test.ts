import {
  appendFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { SHA256 } from '../../../../../lib/transfer/contentCheck.ts';
import type { FailedEntry } from '../../../../../lib/transfer/pack/failedEntry.ts';
import { startPack } from '../../../../../lib/transfer/pack/startPack.ts';
import { unpackPack } from '../../../../../lib/transfer/pack/unpackPack.ts';
import { planSending, type SendPlan } from '../../../../../lib/transfer/send.ts';
import type { TreeEntry } from '../../../../../lib/transfer/tree.ts';
import { DEFAULT_LIMITS } from '../../../../../lib/transfer/unpackLimits.ts';
import { inPieces, sameNoise, Taken } from '../../../../helpers/packs.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const HOW = { limits: DEFAULT_LIMITS, followLinks: true, rooted: false };
/** More than the buffers hold on the way. */
const LARGE = sameNoise(16 * 1024 * 1024);
let source = '';
let folder = '';
beforeEach(() => {
  [source, folder] = [tempDir(), tempDir()];
  for (const name of ['a', 'z']) writeFileSync(join(source, name), `${name}\n`);
});

const planOf = (goesOn: boolean) =>
  planSending(source, { archive: true, encoding: 'none', contentOnly: true, goesOn });

/** A plan with one more file in its middle: the memory of this process, of which reading the start is an EIO. */
async function withUnreadable(plan: SendPlan): Promise<SendPlan> {
  const entries: TreeEntry[] = [];
  for await (const entry of plan.entries()) entries.push(entry);
  const path = '/proc/self/mem';
  const { dev, ino } = lstatSync(path, { bigint: true });
  const [first, ...others] = entries as [TreeEntry, ...TreeEntry[]];
  const bad = { ...first, path, name: 'bad', size: 0, dev, ino };
  return { ...plan, entries: () => [first, bad, ...others], count: plan.count + 1 };
}

async function sent(plan: SendPlan, out = new Taken()): Promise<Buffer> {
  await startPack(plan).sendTo(out);
  return out.bytes;
}

async function unpacked(pack: Buffer): Promise<readonly FailedEntry[]> {
  const failed: FailedEntry[] = [];
  const onFailed = (entry: FailedEntry) => failed.push(entry);
  const arriving = { source: inPieces(pack), check: SHA256, accept: () => {}, onFailed };
  await unpackPack(folder, arriving, HOW);
  return failed;
}

describe('a pack that goes on', () => {
  it('brings all but a file that cannot be read, and says which and why', async () => {
    const failed = await unpacked(await sent(await withUnreadable(await planOf(true))));
    expect(failed).toEqual([
      { name: 'bad', code: 'storage', why: 'cannot read /proc/self/mem: EIO' },
    ]);
    expect(readdirSync(folder).sort()).toEqual(['a', 'z']);
    expect(readFileSync(join(folder, 'z'), 'utf8')).toBe('z\n');
  });

  it('leaves nothing under the name of a file that fails when much of it has been sent', async () => {
    const path = join(source, 'large');
    writeFileSync(path, LARGE);
    let chunks = 0;
    const cut = () => {
      chunks += 1;
      if (chunks === 3) truncateSync(path, 5);
    };
    const failed = await unpacked(await sent(await planOf(true), new Taken(0, cut)));
    expect(failed).toEqual([
      { name: 'large', code: 'conflict', why: expect.stringContaining('large shrank') },
    ]);
    expect(readdirSync(folder).sort()).toEqual(['a', 'z']);
  });

  it('brings a file that grows meanwhile as long as it was', async () => {
    const path = join(source, 'log');
    writeFileSync(path, LARGE);
    const grow = () => appendFileSync(path, 'one line more\n');
    expect(await unpacked(await sent(await planOf(true), new Taken(0, grow)))).toEqual([]);
    expect(readFileSync(join(folder, 'log')).equals(LARGE)).toBe(true);
  });

  it('takes no file that grows and has another beginning by then', async () => {
    const path = join(source, 'log');
    writeFileSync(path, LARGE);
    let chunks = 0;
    const change = () => {
      chunks += 1;
      if (chunks === 3) writeFileSync(path, `X${'y'.repeat(100)}`, { flag: 'r+' });
      appendFileSync(path, 'one line more\n');
    };
    const failed = await unpacked(await sent(await planOf(true), new Taken(0, change)));
    expect(failed).toMatchObject([{ name: 'log', code: 'conflict' }]);
    expect(readdirSync(folder).sort()).toEqual(['a', 'z']);
  });

  it('is refused by whoever wants all of it', async () => {
    const pack = await sent(await withUnreadable(await planOf(true)));
    const arriving = { source: inPieces(pack), check: SHA256, accept: () => {} };
    await expect(unpackPack(folder, arriving, HOW)).rejects.toThrow(/it is not whole/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is made for nobody who has not asked for it', async () => {
    await expect(sent(await withUnreadable(await planOf(false)))).rejects.toThrow(/EIO/);
  });
});
