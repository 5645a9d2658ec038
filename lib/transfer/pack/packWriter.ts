import type { Writable } from 'node:stream';
import { isOthersTurn, turn } from '../../concurrency/turns.ts';
import { BadRequestError } from '../../errors.ts';
import { YoungGarbage } from '../../host/youngGarbage.ts';
import { BUFFER_BYTES, BufferRing } from '../bufferRing.ts';
import type { Digester } from '../contentCheck.ts';
import { readAsFound, SteadyFile, smallContent } from '../steadyFile.ts';
import type { TreeEntry } from '../tree.ts';
import { BLOCK_HEAD_BYTES, BlockPacker, writeBlockHead } from './blocks.ts';
import { LinkRate } from './linkRate.ts';
import {
  COPY_HEAD_BYTES,
  HEAD_BYTES,
  type Kind,
  SMALL_BYTES,
  START_BYTES,
  SUM_BYTES,
  writeCopy,
  writeHead,
  writeStart,
} from './packFormat.ts';
import type { Patch } from './patch.ts';

export interface PackSource {
  readonly entries: Iterable<TreeEntry> | AsyncIterable<TreeEntry>;
  /** How many there are. */
  readonly count: number;
  /** How files are sent of which the other side has much, by their names. */
  readonly patches?: ReadonlyMap<string, Patch> | undefined;
  /** Of all files, as they were when they were looked at. */
  readonly bytes: number;
}

export interface PackOptions {
  /** Takes in the whole pack, what is left out too. */
  readonly digester: Digester;
  /** How many bytes of the pack are not sent. */
  readonly skip: number;
  /** Hears how many bytes of files were read; of those left out, when there is something to send. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** Of all packs: memory that blocks were deflated into. */
const spent = new YoungGarbage();
const NO_NAME = Buffer.alloc(0);
const PIECE_HEAD_BYTES = 4;
/** Less room than this is not filled with a piece of a large file. */
const LEAST_ROOM = 16 * 1024;

/**
 * Sends a pack of entries into a stream, which stays open, and resolves to the number of its bytes. The same entries
 * give the same pack, so an interrupted transfer can go on. Nothing is kept of what was sent.
 * @throws SourceError when a file cannot be read or changes meanwhile; what the stream fails with
 */
export async function sendPack(
  source: PackSource,
  out: Writable,
  options: PackOptions,
): Promise<number> {
  const writer = new PackWriter(out, options);
  try {
    return await writer.send(source);
  } finally {
    writer.close();
  }
}

class PackWriter {
  readonly #ring: BufferRing;
  readonly #options: PackOptions;
  readonly #packer = new BlockPacker();
  readonly #rate = new LinkRate();
  #buffer: Buffer = NO_NAME;
  /** Where in the buffer the next byte goes. */
  #at = 0;
  /** Of the pack, what was sent or left out. */
  #sent = 0;
  #unsaid = 0;
  #entries = 0;

  constructor(out: Writable, options: PackOptions) {
    this.#ring = new BufferRing(out);
    this.#options = options;
  }

  async send({ entries, count, patches, bytes }: PackSource): Promise<number> {
    await this.#next();
    writeStart({ entries: count, bytes }, this.#buffer, this.#at);
    this.#at += START_BYTES;
    for await (const entry of entries) {
      this.#entries += 1;
      const name = nameOf(entry);
      const patch = patches?.get(entry.name);
      if (entry.kind !== 'file') await this.#other(entry, name);
      else if (patch !== undefined) await this.#patch(entry, name, patch);
      else if (!(await this.#small(entry, name))) await this.#large(entry, name);
      // Small files are read without waiting; others want a turn too.
      if (isOthersTurn()) await turn();
    }
    await this.#room(HEAD_BYTES);
    this.#head('end', { mode: 0, mtimeNs: 0n }, NO_NAME, this.#entries);
    this.#flush();
    this.#say();
    await this.#ring.allSent(0);
    return this.#sent;
  }

  close(): void {
    this.#ring.close();
  }

  async #other(entry: TreeEntry, name: Buffer): Promise<void> {
    const target = Buffer.from(entry.target);
    await this.#room(HEAD_BYTES + name.length + target.length);
    this.#head(entry.kind, entry, name, target.length);
    this.#at += target.copy(this.#buffer, this.#at);
  }

  /** Reads a small file into its place in the pack; false when it is not small, whatever the walk has found. */
  async #small(entry: TreeEntry, name: Buffer): Promise<boolean> {
    if (entry.size > SMALL_BYTES) return false;
    const headBytes = HEAD_BYTES + name.length;
    // One byte more: a read that leaves that one out has come to the end.
    await this.#room(headBytes + entry.size + 1);
    const contentAt = this.#at + headBytes;
    if (!readAsFound(entry, this.#buffer.subarray(contentAt, contentAt + entry.size + 1)))
      return this.#changed(entry, name);
    this.#head('file', entry, name, entry.size);
    this.#at += entry.size;
    this.#read(entry.size);
    return true;
  }

  /** A small file that is not what the walk has found, or does not know its size. */
  async #changed(entry: TreeEntry, name: Buffer): Promise<boolean> {
    const file = new SteadyFile(entry);
    try {
      const content = file.size > SMALL_BYTES ? undefined : smallContent(file, SMALL_BYTES);
      if (content === undefined) return false;
      await this.#room(HEAD_BYTES + name.length + content.length);
      this.#head('file', file, name, content.length);
      this.#at += content.copy(this.#buffer, this.#at);
      this.#read(content.length);
      return true;
    } finally {
      file.closeSync();
    }
  }

  async #large(entry: TreeEntry, name: Buffer): Promise<void> {
    const file = new SteadyFile(entry);
    try {
      await this.#room(HEAD_BYTES + name.length);
      this.#head('pieces', file, name, file.size);
      for (let fileAt = 0; ; ) {
        const bytes = await this.#piece(file, fileAt, BUFFER_BYTES);
        if (bytes === 0) break;
        fileAt += bytes;
      }
      file.checkUnchanged();
    } finally {
      await file.close();
    }
  }

  /** Only what the other side has not is read and sent: the file has to be the one that the patch was made for. */
  async #patch(entry: TreeEntry, name: Buffer, { parts, sum }: Patch): Promise<void> {
    const file = new SteadyFile(entry);
    try {
      file.checkAsFound(entry);
      await this.#room(HEAD_BYTES + name.length);
      this.#head('patch', file, name, file.size);
      for (const { kind, from, bytes } of parts) {
        if (kind === 'copied') {
          await this.#room(COPY_HEAD_BYTES);
          writeCopy(bytes, from, this.#buffer, this.#at);
          this.#at += COPY_HEAD_BYTES;
          this.#read(bytes);
          continue;
        }
        for (let done = 0; done < bytes; ) {
          const read = await this.#piece(file, from + done, bytes - done);
          if (read === 0) break;
          done += read;
        }
      }
      file.checkUnchanged();
      await this.#room(PIECE_HEAD_BYTES + SUM_BYTES);
      this.#buffer.writeUInt32LE(0, this.#at);
      sum.copy(this.#buffer, this.#at + PIECE_HEAD_BYTES);
      this.#at += PIECE_HEAD_BYTES + SUM_BYTES;
    } finally {
      await file.close();
    }
  }

  /** Sends a piece of a file, at most so long; returns how long it is, 0 at the end of the file. */
  async #piece(file: SteadyFile, fileAt: number, most: number): Promise<number> {
    await this.#room(LEAST_ROOM);
    const pieceAt = this.#at + PIECE_HEAD_BYTES;
    const room = this.#buffer.subarray(pieceAt, Math.min(BUFFER_BYTES, pieceAt + most));
    const bytes = await file.read(room, fileAt);
    this.#buffer.writeUInt32LE(bytes, this.#at);
    this.#at = pieceAt + bytes;
    this.#read(bytes);
    return bytes;
  }

  #head(
    kind: Kind,
    { mode, mtimeNs }: Pick<TreeEntry, 'mode' | 'mtimeNs'>,
    name: Buffer,
    bytes: number,
  ): void {
    writeHead({ kind, nameBytes: name.length, mode, mtimeNs, bytes }, this.#buffer, this.#at);
    this.#at += HEAD_BYTES;
    this.#at += name.copy(this.#buffer, this.#at);
  }

  #read(bytes: number): void {
    this.#unsaid += bytes;
    if (this.#sent >= this.#options.skip) this.#say();
  }

  #say(): void {
    if (this.#unsaid > 0) this.#options.onRead?.(this.#unsaid);
    this.#unsaid = 0;
  }

  async #room(bytes: number): Promise<void> {
    if (this.#at + bytes <= BUFFER_BYTES) return;
    this.#flush();
    await this.#next();
  }

  async #next(): Promise<void> {
    const asked = performance.now();
    this.#buffer = await this.#ring.take();
    this.#rate.sent(0, performance.now() - asked);
    this.#at = BLOCK_HEAD_BYTES;
  }

  /** Sends what is in the buffer, but for what is left out. */
  #flush(): void {
    const content = this.#buffer.subarray(BLOCK_HEAD_BYTES, this.#at);
    this.#options.digester.update(content);
    const left = Math.min(content.length, Math.max(0, this.#options.skip - this.#sent));
    this.#sent += content.length;
    const bytes = content.length - left;
    if (bytes === 0) {
      this.#ring.give(this.#buffer);
      return;
    }
    const from = this.#buffer.subarray(left, this.#at);
    const packed = this.#rate.isSlow
      ? this.#packer.pack(from.subarray(BLOCK_HEAD_BYTES))
      : undefined;
    packed?.copy(from, BLOCK_HEAD_BYTES);
    if (packed !== undefined) spent.passed(bytes);
    const packedBytes = packed?.length ?? bytes;
    writeBlockHead(bytes, packedBytes, from, 0);
    this.#ring.send(from.subarray(0, BLOCK_HEAD_BYTES + packedBytes), this.#buffer);
    this.#rate.sent(packedBytes, 0);
  }
}

function nameOf({ name, path }: TreeEntry): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= 0xffff) return bytes;
  throw new BadRequestError(`${path}: the name is too long to be sent`);
}
