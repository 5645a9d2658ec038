import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pumpFile } from '../../../../lib/transfer/pump.ts';
import { FileSink } from '../../../../lib/transfer/sink.ts';
import { sizeText } from '../../../../lib/transfer/sizeText.ts';
import { Tap } from '../../../../lib/transfer/tap.ts';
import { type TreeEntry, walkTree } from '../../../../lib/transfer/tree.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('FileSink', () => {
  it('writes what comes, in order, and knows its length and SHA-256', async () => {
    const folder = tempDir();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (pieces) => {
        const path = join(folder, 'f');
        const fd = openSync(path, 'w');
        const digester = createHash('sha256');
        const sink = new FileSink(fd, { digester });
        await pipeline(Readable.from(pieces.map((piece) => Buffer.from(piece))), sink);
        closeSync(fd);
        const all = Buffer.concat(pieces);
        expect(readFileSync(path).equals(all)).toBe(true);
        expect([sink.bytes, digester.digest('hex')]).toEqual([all.length, sha256(all)]);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves the file open when what it reads from fails', async () => {
    const path = join(tempDir(), 'f');
    const fd = openSync(path, 'w');
    const sink = new FileSink(fd);
    const source = Readable.from(
      (function* () {
        yield Buffer.alloc(3_000_000);
        throw new Error('broke off');
      })(),
    );
    await expect(pipeline(source, sink)).rejects.toThrow('broke off');
    await sink.settled();
    // Fails with EBADF when somebody has closed it already.
    closeSync(fd);
  });
});

/** A file as a walk finds it. */
async function entryOf(path: string): Promise<TreeEntry> {
  for await (const entry of walkTree(path, { prefix: 'f' })) return entry;
  throw new Error(`there is no ${path}`);
}

describe('pumpFile', () => {
  /** A receiver that takes its time and keeps a copy: the buffers are used again. */
  function receiver(delayed: boolean) {
    const chunks: Buffer[] = [];
    const out = new Writable({
      write(chunk: Buffer, _encoding, done) {
        const take = () => {
          chunks.push(Buffer.from(chunk));
          done();
        };
        if (delayed) setImmediate(take);
        else take();
      },
    });
    return { out, received: () => Buffer.concat(chunks) };
  }

  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `${i},`).join(''));

  it.each([
    [0, false],
    [0, true],
    [700_001, true],
    [content.length, true],
  ])('sends the bytes from %d on and hashes all of them', async (skip, delayed) => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, content);
    const { out, received } = receiver(delayed);
    const hash = createHash('sha256');
    let counted = 0;
    const onBytes = (bytes: number) => {
      counted += bytes;
    };
    expect(await pumpFile(await entryOf(path), out, { digester: hash, skip, onBytes })).toBe(
      content.length,
    );
    expect(received().equals(content.subarray(skip))).toBe(true);
    expect(counted).toBe(content.length - skip);
    expect(hash.digest('hex')).toBe(sha256(content));
    expect(out.destroyed).toBe(false);
  });

  it('fails when the receiver goes away, and when the file is not there', async () => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, content);
    const entry = await entryOf(path);
    const options = { digester: createHash('sha256'), skip: 0, onBytes: undefined };
    const stuck = new Writable({
      write() {
        setImmediate(() => stuck.destroy());
      },
    });
    await expect(pumpFile(entry, stuck, options)).rejects.toMatchObject({
      code: 'ERR_STREAM_PREMATURE_CLOSE',
    });
    await expect(
      pumpFile({ ...entry, path: `${path}x` }, receiver(false).out, options),
    ).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('Tap', () => {
  it('leaves out a beginning, but hashes and counts it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 })),
        fc.nat(60),
        async (pieces, skip) => {
          const all = Buffer.concat(pieces);
          const hash = createHash('sha256');
          const tap = new Tap({ digester: hash, skip });
          const out = Readable.from(pieces.map((piece) => Buffer.from(piece))).pipe(tap);
          const passed = Buffer.concat(await out.toArray());
          expect(passed.equals(all.subarray(skip))).toBe(true);
          expect([tap.bytes, hash.digest('hex')]).toEqual([all.length, sha256(all)]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('sizeText', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [12_345_678, '12,345,678'],
  ])('writes %d as %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));
});
