import type { Writable } from 'node:stream';
import { isOthersTurn, turn } from '../../concurrency/turns.ts';
import { BadRequestError } from '../../errors.ts';
import { BUFFER_BYTES } from '../bufferRing.ts';
import { GrowingFile } from '../growingFile.ts';
import { SourceError } from '../sourceError.ts';
import { readAsFound, SteadyFile, smallContent } from '../steadyFile.ts';
import type { TreeEntry } from '../tree.ts';
import { failedContent } from './failedEntry.ts';
import {
  BROKEN,
  COPY_HEAD_BYTES,
  HEAD_BYTES,
  SMALL_BYTES,
  START_BYTES,
  SUM_BYTES,
  writeCopy,
  writeStart,
} from './packFormat.ts';
import { type PackOptions, PackOut } from './packOut.ts';
import type { Patch } from './patch.ts';

export interface PackSource {
  readonly entries: Iterable<TreeEntry> | AsyncIterable<TreeEntry>;
  /** How many there are. */
  readonly count: number;
  /** How files are sent of which the other side has much, by their names. */
  readonly patches?: ReadonlyMap<string, Patch> | undefined;
  /** Of all files, as they were when they were looked at. */
  readonly bytes: number;
  /** Whether it goes on behind a file that cannot be read or changes meanwhile, and says so. Default: it ends there. */
  readonly goesOn?: boolean | undefined;
}

const NO_NAME = Buffer.alloc(0);
const PIECE_HEAD_BYTES = 4;
/** Less room than this is not filled with a piece of a large file. */
const LEAST_ROOM = 16 * 1024;
/** How often a small file is read anew that changes meanwhile, where the pack has to go on. */
const MOST_READS = 4;

/**
 * Sends a pack of entries into a stream, which stays open, and resolves to the number of its bytes. The same entries
 * give the same pack, so an interrupted transfer can go on. Nothing is kept of what was sent.
 * @throws SourceError when a file cannot be read or changes meanwhile, unless the pack goes on then; what the stream fails with
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
  readonly #out: PackOut;
  #entries = 0;
  /** Whether a file in pieces has begun and not come to its end. */
  #isBroken = false;

  constructor(out: Writable, options: PackOptions) {
    this.#out = new PackOut(out, options);
  }

  async send({ entries, count, patches, bytes, goesOn = false }: PackSource): Promise<number> {
    await this.#out.next();
    writeStart({ entries: count, bytes }, this.#out.buffer, this.#out.at);
    this.#out.at += START_BYTES;
    for await (const entry of entries) {
      this.#entries += 1;
      const name = nameOf(entry);
      const patch = patches?.get(entry.name);
      if (entry.kind !== 'file') await this.#other(entry, name);
      else if (patch !== undefined) await this.#patch(entry, name, patch);
      else if (goesOn) await this.#fileOrReason(entry, name);
      else if (!(await this.#small(entry, name))) await this.#large(entry, name);
      // Small files are read without waiting; others want a turn too.
      if (isOthersTurn()) await turn();
    }
    await this.#out.room(HEAD_BYTES);
    this.#out.head('end', { mode: 0, mtimeNs: 0n }, NO_NAME, this.#entries);
    return this.#out.end();
  }

  close(): void {
    this.#out.close();
  }

  async #other(entry: TreeEntry, name: Buffer): Promise<void> {
    const target = Buffer.from(entry.target);
    await this.#out.room(HEAD_BYTES + name.length + target.length);
    this.#out.head(entry.kind, entry, name, target.length);
    this.#out.at += target.copy(this.#out.buffer, this.#out.at);
  }

  /** A file, or why it cannot be sent. */
  async #fileOrReason(entry: TreeEntry, name: Buffer): Promise<void> {
    for (let reads = 1; ; reads += 1) {
      try {
        if (!(await this.#small(entry, name))) await this.#growing(entry, name);
        return;
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        const isPassing = error.code === 'conflict' && entry.size <= SMALL_BYTES;
        if (isPassing && reads < MOST_READS && !this.#isBroken) continue;
        await this.#failed(entry, name, error);
        return;
      }
    }
  }

  async #failed(entry: TreeEntry, name: Buffer, why: SourceError): Promise<void> {
    const content = failedContent(why, entry.top.within);
    await this.#out.room(PIECE_HEAD_BYTES + HEAD_BYTES + name.length + content.length);
    if (this.#isBroken) this.#out.at = this.#out.buffer.writeUInt32LE(BROKEN, this.#out.at);
    this.#isBroken = false;
    this.#out.head('failed', entry, name, content.length);
    this.#out.at += content.copy(this.#out.buffer, this.#out.at);
  }

  /** As `large`; it may grow meanwhile, as long as what was read is still how it begins. */
  async #growing(entry: TreeEntry, name: Buffer): Promise<void> {
    const file = new GrowingFile(entry);
    try {
      await this.#out.room(HEAD_BYTES + name.length);
      this.#out.head('pieces', file, name, file.size);
      this.#isBroken = true;
      for (let more = true; more; ) {
        more = (await this.#piece((into) => file.read(into), BUFFER_BYTES)) > 0;
      }
      this.#isBroken = false;
    } finally {
      await file.close();
    }
  }

  /** Reads a small file into its place in the pack; false when it is not small, whatever the walk has found. */
  async #small(entry: TreeEntry, name: Buffer): Promise<boolean> {
    if (entry.size > SMALL_BYTES) return false;
    const headBytes = HEAD_BYTES + name.length;
    // One byte more: a read that leaves that one out has come to the end.
    await this.#out.room(headBytes + entry.size + 1);
    const contentAt = this.#out.at + headBytes;
    if (!readAsFound(entry, this.#out.buffer.subarray(contentAt, contentAt + entry.size + 1)))
      return this.#changed(entry, name);
    this.#out.head('file', entry, name, entry.size);
    this.#out.at += entry.size;
    this.#out.read(entry.size);
    return true;
  }

  /** A small file that is not what the walk has found, or does not know its size. */
  async #changed(entry: TreeEntry, name: Buffer): Promise<boolean> {
    const file = new SteadyFile(entry);
    try {
      const content = file.size > SMALL_BYTES ? undefined : smallContent(file, SMALL_BYTES);
      if (content === undefined) return false;
      await this.#out.room(HEAD_BYTES + name.length + content.length);
      this.#out.head('file', file, name, content.length);
      this.#out.at += content.copy(this.#out.buffer, this.#out.at);
      this.#out.read(content.length);
      return true;
    } finally {
      file.closeSync();
    }
  }

  async #large(entry: TreeEntry, name: Buffer): Promise<void> {
    const file = new SteadyFile(entry);
    try {
      await this.#out.room(HEAD_BYTES + name.length);
      this.#out.head('pieces', file, name, file.size);
      for (let fileAt = 0; ; ) {
        const from = fileAt;
        const bytes = await this.#piece((into) => file.read(into, from), BUFFER_BYTES);
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
      await this.#out.room(HEAD_BYTES + name.length);
      this.#out.head('patch', file, name, file.size);
      for (const { kind, from, bytes } of parts) {
        if (kind === 'copied') {
          await this.#out.room(COPY_HEAD_BYTES);
          writeCopy(bytes, from, this.#out.buffer, this.#out.at);
          this.#out.at += COPY_HEAD_BYTES;
          this.#out.read(bytes);
          continue;
        }
        for (let done = 0; done < bytes; ) {
          const at = from + done;
          const read = await this.#piece((into) => file.read(into, at), bytes - done);
          if (read === 0) break;
          done += read;
        }
      }
      file.checkUnchanged();
      await this.#out.room(PIECE_HEAD_BYTES + SUM_BYTES);
      this.#out.buffer.writeUInt32LE(0, this.#out.at);
      sum.copy(this.#out.buffer, this.#out.at + PIECE_HEAD_BYTES);
      this.#out.at += PIECE_HEAD_BYTES + SUM_BYTES;
    } finally {
      await file.close();
    }
  }

  /** Sends a piece of a file, at most so long; returns how long it is, 0 at the end of the file. */
  async #piece(readInto: (buffer: Buffer) => Promise<number>, most: number): Promise<number> {
    await this.#out.room(LEAST_ROOM);
    const pieceAt = this.#out.at + PIECE_HEAD_BYTES;
    const room = this.#out.buffer.subarray(pieceAt, Math.min(BUFFER_BYTES, pieceAt + most));
    const bytes = await readInto(room);
    this.#out.buffer.writeUInt32LE(bytes, this.#out.at);
    this.#out.at = pieceAt + bytes;
    this.#out.read(bytes);
    return bytes;
  }
}

function nameOf({ name, path }: TreeEntry): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= 0xffff) return bytes;
  throw new BadRequestError(`${path}: the name is too long to be sent`);
}
