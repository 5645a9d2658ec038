import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PmanError } from '../../../../../lib/errors.ts';
import { type Chunk, Chunker, chunkBits } from '../../../../../lib/transfer/chunker.ts';
import { SHA256 } from '../../../../../lib/transfer/contentCheck.ts';
import { BlockReader } from '../../../../../lib/transfer/pack/blocks.ts';
import { findPatch } from '../../../../../lib/transfer/pack/patch.ts';
import { startPack } from '../../../../../lib/transfer/pack/startPack.ts';
import { unpackPack } from '../../../../../lib/transfer/pack/unpackPack.ts';
import { openPartial, partialBytes } from '../../../../../lib/transfer/partial.ts';
import { planSending } from '../../../../../lib/transfer/send.ts';
import type { TreeEntry } from '../../../../../lib/transfer/tree.ts';
import { DEFAULT_LIMITS } from '../../../../../lib/transfer/unpackLimits.ts';
import {
  asBlock,
  asDeflatedBlocks,
  type CraftedRecord,
  craftPack,
  inPieces,
  packOf,
  sameNoise,
  Taken,
} from '../../../../helpers/packs.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';
import { treeOf } from '../../../../helpers/transfer.ts';

const HOW = { limits: DEFAULT_LIMITS, followLinks: true, rooted: false };
const ID = 'a'.repeat(32);
let folder = '';
beforeEach(() => {
  folder = tempDir();
});

function makeTree(): string {
  const top = tempDir();
  mkdirSync(join(top, 'd é/empty'), { recursive: true });
  for (let i = 0; i < 50; i += 1) writeFileSync(join(top, `d é/f${i}`), `file ${i}\n`.repeat(i));
  writeFileSync(join(top, 'large'), randomBytes(700_000));
  writeFileSync(join(top, 'edge'), Buffer.alloc(64 * 1024, 'x'));
  writeFileSync(join(top, 'nothing'), '');
  chmodSync(join(top, 'd é/f3'), 0o751);
  chmodSync(join(top, 'd é/f4'), 0o400);
  symlinkSync('d é/f3', join(top, 'link'));
  utimesSync(join(top, 'edge'), 1e9, 1e9 + 0.123456);
  lutimesSync(join(top, 'link'), 1e9, 1e9);
  utimesSync(join(top, 'd é'), 1e9, 1e9);
  // Before 1970, and later than 64 bits of nanoseconds go.
  utimesSync(join(top, 'nothing'), '-86400.5', '-86400.5');
  utimesSync(join(top, 'd é/f5'), 1e10, 1e10);
  return top;
}

function expectSame(one: string, other: string): void {
  const [a, b] = [treeOf(one), treeOf(other)];
  delete a[''];
  delete b[''];
  expect(a).toEqual(b);
}

async function unpackFrom(source: Readable, sum?: string, options = HOW) {
  return unpackPack(
    folder,
    {
      source,
      check: SHA256,
      accept({ digest }) {
        if (sum !== undefined && sum !== digest) throw new Error('another sum');
      },
    },
    options,
  );
}

function giveUp() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe('a pack', () => {
  it('brings files, folders, links, modes and times, however it is cut on the way', async () => {
    const top = makeTree();
    const { blocks, read, digest, plan } = await packOf(top);
    expect(read).toBe(plan.workBytes);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), async (ends) => {
        folder = tempDir();
        const { files } = await unpackFrom(inPieces(blocks, ends), digest);
        expect(files).toBe(54);
        expectSame(top, folder);
      }),
      { numRuns: 20 },
    );
  });

  it('is the same each time, so a transfer goes on at any byte', async () => {
    const top = makeTree();
    const whole = await packOf(top);
    const content = [...new BlockReader().contentOf(whole.blocks)];
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.bytes }), async (offset) => {
        folder = tempDir();
        const before = await openPartial(folder, ID);
        await before.append(Readable.from([Buffer.concat(content).subarray(0, offset)]), 0);
        await before.close({ done: false });
        const { blocks, digest } = await packOf(top, offset);
        expect(digest).toBe(whole.digest);
        const kept = { partial: await openPartial(folder, ID), offset };
        const accept = (stored: { readonly digest: string }) =>
          expect(stored.digest).toBe(whole.digest);
        const arriving = { source: inPieces(blocks), check: SHA256, kept, accept };
        await unpackPack(folder, arriving, HOW);
        expectSame(top, folder);
      }),
      { numRuns: 10 },
    );
  });

  it('that breaks off changes nothing, and what has come of it is kept', async () => {
    const { blocks } = await packOf(makeTree());
    const kept = { partial: await openPartial(folder, ID), offset: 0 };
    const source = Readable.from(
      (function* () {
        yield blocks.subarray(0, 300_008);
        throw new Error('the connection was lost');
      })(),
      { objectMode: false },
    );
    const arriving = { source, check: SHA256, kept, accept() {} };
    await expect(unpackPack(folder, arriving, HOW)).rejects.toThrow('the connection was lost');
    expect(readdirSync(folder)).toEqual([`.pfioh-${ID}.part`]);
    expect(partialBytes(folder, ID)).toBeGreaterThan(200_000);
  });

  it.each([
    ['for what it says of itself', undefined, 0],
    ['by a full disk', new Error('ENOSPC'), 1],
  ])(
    'that is refused %s is kept only when it may fit the next time',
    async (_why, cause, count) => {
      const { blocks } = await packOf(makeTree());
      const kept = { partial: await openPartial(folder, ID), offset: 0 };
      const source = Readable.from([blocks], { objectMode: false });
      const accept = () => {
        throw new PmanError('storage', 'no space left', { cause });
      };
      await expect(
        unpackPack(folder, { source, check: SHA256, kept, accept }, HOW),
      ).rejects.toThrow('no space left');
      expect(readdirSync(folder)).toHaveLength(count);
    },
  );

  it('that is given up changes nothing, and what has come of it is kept', async () => {
    const { blocks } = await packOf(makeTree());
    const kept = { partial: await openPartial(folder, ID), offset: 0 };
    const { signal, abort } = giveUp();
    const source = Readable.from(
      (function* () {
        yield blocks.subarray(0, 300_000);
        abort();
        yield blocks.subarray(300_000);
      })(),
      { objectMode: false },
    );
    const arriving = { source, check: SHA256, kept, accept() {} };
    await expect(unpackPack(folder, arriving, { ...HOW, signal })).rejects.toThrow(/abort/i);
    expect(readdirSync(folder)).toEqual([`.pfioh-${ID}.part`]);
    expect(partialBytes(folder, ID)).toBeGreaterThan(0);
  });

  it('with one byte changed is refused, whichever it is, and changes nothing', async () => {
    const top = tempDir();
    writeFileSync(join(top, 'a'), 'some text');
    mkdirSync(join(top, 'd'));
    symlinkSync('../a', join(top, 'd/l'));
    const { blocks, digest } = await packOf(top);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: blocks.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const damaged = Buffer.from(blocks);
          damaged[at] = (damaged[at] ?? 0) ^ by;
          await expect(unpackFrom(inPieces(damaged), digest)).rejects.toThrow();
          expect(readdirSync(folder)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of a file whose size is not what the system says has all that can be read', async () => {
    const { blocks } = await packOf('/proc/version');
    await unpackFrom(inPieces(blocks));
    expect(readFileSync(join(folder, 'version'), 'utf8')).toBe(
      readFileSync('/proc/version', 'utf8'),
    );
  });

  it('of a large file that changes while it is sent is no success', async () => {
    const top = tempDir();
    writeFileSync(join(top, 'f'), randomBytes(3_000_000));
    const out = new Taken(0, () => appendFileSync(join(top, 'f'), 'more'));
    const sent = packOf(top, 0, out);
    await expect(sent).rejects.toThrow(/grew while it was read/);
  });

  it('goes deflated over a slow link', async () => {
    const top = tempDir();
    for (let i = 0; i < 400; i += 1) writeFileSync(join(top, `f${i}`), `line ${i}\n`.repeat(1500));
    const { blocks, bytes } = await packOf(top, 0, new Taken(20));
    expect(blocks.length).toBeLessThan(bytes * 0.7);
    await unpackFrom(inPieces(blocks));
    expectSame(top, folder);
  });

  it.each<[string, CraftedRecord[], RegExp]>([
    [
      'a name twice',
      [
        { kind: 'file', name: 'a' },
        { kind: 'file', name: 'a' },
      ],
      /is in it twice/,
    ],
    [
      'a folder that is a file',
      [
        { kind: 'file', name: 'a' },
        { kind: 'folder', name: 'a' },
      ],
      /twice/,
    ],
    [
      'a file that is a folder',
      [
        { kind: 'file', name: 'a/b' },
        { kind: 'file', name: 'a' },
      ],
      /twice/,
    ],
    [
      'what lies below a file',
      [
        { kind: 'pieces', name: 'a' },
        { kind: 'file', name: 'a/b/c' },
      ],
      /lies below a file/,
    ],
    [
      'what lies below a link',
      [
        { kind: 'link', name: 'a', content: '.' },
        { kind: 'file', name: 'a/b' },
      ],
      /lies below a link/,
    ],
    ['a way up', [{ kind: 'file', name: '../a' }], /leaves its folder/],
    ['an absolute name', [{ kind: 'folder', name: '/a' }], /leaves its folder/],
    ['a name with NUL', [{ kind: 'file', name: 'a\0b' }], /NUL/],
    ['no name', [{ kind: 'file', name: './' }], /without a name/],
    ['our own names', [{ kind: 'file', name: 'd/.pfioh-x.tmp/evil' }], /is reserved/],
    ['a link that leads outside', [{ kind: 'link', name: 'l', content: '../x' }], /outside/],
    [
      'a link that leads outside by way of one behind it',
      [
        { kind: 'link', name: 'l', content: 'd/../../x' },
        { kind: 'folder', name: 'd' },
      ],
      /outside/,
    ],
  ])('with %s is refused, and nothing is changed', async (_what, records, why) => {
    const pack = craftPack([{ kind: 'file', name: 'first', content: 'x' }, ...records]);
    await expect(unpackFrom(inPieces(asBlock(pack)))).rejects.toThrow(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each<[string, Buffer, RegExp]>([
    ['that ends too early', craftPack([{ kind: 'file', name: 'a' }]).subarray(0, -1), /too early/],
    [
      'that goes on behind its end',
      Buffer.concat([craftPack([]), Buffer.alloc(24)]),
      /behind its end/,
    ],
    ['that has fewer entries than it says', craftPack([], { end: 1 }), /says it has 1 entries/],
    ['that says it has too many', craftPack([], { entries: 6_000_000 }), /6000000 entries/],
    ['that has no room', craftPack([], { bytes: 1e15 }), /no space left/],
    ['that is something else', Buffer.from('PK and so on, and so on, and so on'), /begin as one/],
  ])('%s is refused', async (_what, pack, why) => {
    await expect(unpackFrom(inPieces(asBlock(pack)))).rejects.toThrow(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that becomes more than is allowed is refused before it is on the disk', async () => {
    const content = 'x'.repeat(50_000);
    const records = Array.from({ length: 100 }, (_, i) => ({
      kind: 'file' as const,
      name: `f${i}`,
      content,
    }));
    const limits = { ...DEFAULT_LIMITS, maxBytes: 1_000_000 };
    const source = inPieces(asDeflatedBlocks(craftPack(records)));
    await expect(unpackFrom(source, undefined, { ...HOW, limits })).rejects.toThrow(/are allowed/);
    expect(existsSync(join(folder, 'f0'))).toBe(false);
  });

  it('makes links last, so that one may go by what comes behind it', async () => {
    const pack = craftPack([
      { kind: 'link', name: 'a', content: 'd/../f' },
      { kind: 'folder', name: 'd', mode: 0o755 },
      { kind: 'file', name: 'f', content: 'text' },
    ]);
    await unpackFrom(inPieces(asBlock(pack)));
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('text');
  });
});

describe('a patch', () => {
  const name = 'data.bin';

  async function patched(old: Buffer, now: Buffer, inPlace = old) {
    const top = tempDir();
    writeFileSync(join(top, name), now);
    utimesSync(join(top, name), 1e9, 1e9);
    writeFileSync(join(folder, name), inPlace);
    const bits = chunkBits(now.length);
    const there: Chunk[] = [];
    const chunker = new Chunker(bits, (chunk) => there.push(chunk));
    chunker.take(old);
    chunker.end();
    const plan = await planSending(top, { archive: true, encoding: 'none', contentOnly: true });
    const [entry] = plan.entries() as Iterable<TreeEntry>;
    if (entry === undefined) throw new Error('nothing is sent');
    const patch = await findPatch(entry, bits, there);
    const out = new Taken();
    const sending = startPack({ ...plan, patches: new Map([[name, patch]]) });
    await sending.sendTo(out);
    await unpackFrom(inPieces(out.bytes), sending.digest());
    expectSame(top, folder);
    return out.bytes.length;
  }

  it('makes a file from the one in its place, whatever was changed, put in or taken out', async () => {
    const old = randomBytes(1_500_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: old.length }), fc.nat({ max: 2000 }), fc.uint8Array()), {
          maxLength: 4,
        }),
        async (changes) => {
          folder = tempDir();
          let now: Buffer = old;
          for (const [at, gone, more] of changes) {
            now = Buffer.concat([now.subarray(0, at), more, now.subarray(at + gone)]);
          }
          await patched(old, now);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('brings only what has changed', async () => {
    const old = sameNoise(1_500_000);
    const now = Buffer.concat([old.subarray(0, 700_000), Buffer.from('!'), old.subarray(700_000)]);
    expect(await patched(old, now)).toBeLessThan(500_000);
  });

  it('of a file that has changed meanwhile is refused, and the file stays', async () => {
    const old = randomBytes(500_000);
    const other = Buffer.from(old);
    other.writeUInt8(other.readUInt8(100) ^ 1, 100);
    const now = Buffer.concat([old, Buffer.from('more')]);
    await expect(patched(old, now, other)).rejects.toThrow(/is not what it was/);
    expect(readFileSync(join(folder, name)).equals(other)).toBe(true);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('of a file that is not there, or of a link, is refused', async () => {
    const record: CraftedRecord = { kind: 'patch', name: 'f', content: 'x' };
    const pack = asBlock(craftPack([record]));
    await expect(unpackFrom(inPieces(pack))).rejects.toThrow(/is not what it was/);
    writeFileSync(join(folder, 'secret'), 'secret');
    symlinkSync('secret', join(folder, 'f'));
    await expect(unpackFrom(inPieces(pack))).rejects.toThrow(/is not what it was/);
  });

  it('does not make more than is allowed by copying a file again and again', async () => {
    writeFileSync(join(folder, 'f'), Buffer.alloc(100_000));
    const copies = Array.from({ length: 50 }, () => [0, 100_000] as const);
    const pack = asBlock(craftPack([{ kind: 'patch', name: 'f', copies }]));
    const limits = { ...DEFAULT_LIMITS, maxBytes: 1_000_000 };
    const unpacked = unpackFrom(inPieces(pack), undefined, { ...HOW, limits });
    await expect(unpacked).rejects.toThrow(/are allowed/);
  });
});
