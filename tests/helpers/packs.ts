import { createCipheriv } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
import { BLOCK_HEAD_BYTES, writeBlockHead } from '../../lib/transfer/pack/blocks.ts';
import {
  COPY_HEAD_BYTES,
  HEAD_BYTES,
  type Kind,
  START_BYTES,
  SUM_BYTES,
  writeCopy,
  writeHead,
  writeStart,
} from '../../lib/transfer/pack/packFormat.ts';
import { startPack } from '../../lib/transfer/pack/startPack.ts';
import { planSending } from '../../lib/transfer/send.ts';

const BLOCK_BYTES = 512 * 1024;

/** A record as anybody may write one. */
export interface CraftedRecord {
  readonly kind: Kind;
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
  /** What a patch copies before its content. */
  readonly copies?: readonly (readonly [from: number, bytes: number])[];
}

/** A pack of these records, whatever is wrong with them; `said`: what it says of itself. */
export function craftPack(
  records: readonly CraftedRecord[],
  said: { readonly entries?: number; readonly bytes?: number; readonly end?: number } = {},
): Buffer {
  const { entries = records.length, bytes = 0, end: count = records.length } = said;
  const start = Buffer.alloc(START_BYTES);
  writeStart({ entries, bytes }, start, 0);
  const all: readonly CraftedRecord[] = [...records, { kind: 'end', name: '' }];
  const parts = all.map((record) => {
    const { kind, name, content = '', mode = 0o644 } = record;
    const [nameBytes, contentBytes] = [Buffer.from(name), Buffer.from(content)];
    const head = Buffer.alloc(HEAD_BYTES);
    const bytesSaid = kind === 'end' ? count : contentBytes.length;
    const fields = { kind, nameBytes: nameBytes.length, mode, mtimeNs: 0n, bytes: bytesSaid };
    writeHead(fields, head, 0);
    if (kind !== 'pieces' && kind !== 'patch')
      return Buffer.concat([head, nameBytes, contentBytes]);
    const copied = (record.copies ?? []).map(([from, bytes]) => {
      const copy = Buffer.alloc(COPY_HEAD_BYTES);
      writeCopy(bytes, from, copy, 0);
      return copy;
    });
    const piece = Buffer.alloc(4);
    piece.writeUInt32LE(contentBytes.length);
    const pieces = content === '' ? [] : [piece, contentBytes];
    const end = [Buffer.alloc(4), ...(kind === 'patch' ? [Buffer.alloc(SUM_BYTES)] : [])];
    return Buffer.concat([head, nameBytes, ...copied, ...pieces, ...end]);
  });
  return Buffer.concat([start, ...parts]);
}

/** Content as one block that is sent as it is. */
export function asBlock(content: Buffer): Buffer {
  const head = Buffer.alloc(BLOCK_HEAD_BYTES);
  writeBlockHead(content.length, content.length, head, 0);
  return Buffer.concat([head, content]);
}

/** Content as blocks of 512 KiB, deflated. */
export function asDeflatedBlocks(content: Buffer): Buffer {
  const starts = Array.from({ length: Math.ceil(content.length / BLOCK_BYTES) }, (_, i) => i);
  const blocks = starts.map((i) => {
    const part = content.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
    const packed = deflateRawSync(part);
    const head = Buffer.alloc(BLOCK_HEAD_BYTES);
    writeBlockHead(part.length, packed.length, head, 0);
    return Buffer.concat([head, packed]);
  });
  return Buffer.concat(blocks);
}

/** Bytes without any order, and the same each time: where they are cut into chunks is no matter of luck. */
export function sameNoise(bytes: number): Buffer {
  const [key, counter] = [Buffer.alloc(16), Buffer.alloc(16)];
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(bytes));
}

/** Bytes as a stream, in pieces that end at these places. */
export function inPieces(bytes: Buffer, ends: readonly number[] = []): Readable {
  const places = [...new Set([0, ...ends.map((end) => end % (bytes.length + 1)), bytes.length])];
  places.sort((a, b) => a - b);
  const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
  return Readable.from(pieces, { objectMode: false });
}

/** Takes what is written in copies, as the system does: the memory is used again. */
export class Taken extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly #onChunk: () => unknown;

  /** @param pauseMs how long it takes over each chunk */
  constructor(pauseMs = 0, onChunk: () => unknown = () => {}) {
    super({ highWaterMark: 1 });
    this.#onChunk = pauseMs === 0 ? onChunk : () => sleep(pauseMs);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    void Promise.resolve(this.#onChunk()).then(done);
  }
}

/** A folder or file as it is sent as a pack from an offset on, and what was counted and summed up meanwhile. */
export async function packOf(path: string, offset = 0, out = new Taken()) {
  const plan = await planSending(path, { archive: true, encoding: 'none', contentOnly: true });
  let read = 0;
  const sending = startPack(plan, offset, (bytes) => {
    read += bytes;
  });
  await sending.sendTo(out);
  return { blocks: out.bytes, read, digest: sending.digest(), bytes: sending.bytes, plan };
}
