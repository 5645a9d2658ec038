import { pipeline, Readable } from 'node:stream';
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { isOthersTurn, turn } from '../../concurrency/turns.ts';
import { BadRequestError } from '../../errors.ts';
import { contentOf, SteadyFile, smallContent } from '../steadyFile.ts';
import type { TreeEntry } from '../tree.ts';
import {
  centralRecord,
  dataDescriptor,
  endRecords,
  localHeader,
  MAX_32,
  type Record,
} from './format.ts';

const SMALL_BYTES = 64 * 1024;
// Two to three times as fast as zlib's own default, 6, for archives that are up to a sixth larger: with 6
// the processor is slower than a network of 100 Mbit/s (docs/decisions/0008).
const DEFAULT_LEVEL = 3;
const CHUNK_BYTES = 256 * 1024;
const GATHER_BYTES = 128 * 1024;
// Data whose beginning deflates to more than this share is stored as it is.
const WORTH_DEFLATING = 0.97;
const TYPE_BITS = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;

type Dress = Pick<TreeEntry, 'mode' | 'mtimeNs'>;
type Entries = Iterable<TreeEntry> | AsyncIterable<TreeEntry>;

export interface ZipOptions {
  /** zlib's level, 0 to 9. */
  readonly level?: number;
  /** Hears how many bytes of files were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * A zip archive of entries as a stream. Nothing is kept but the list of entries (some 150 bytes
 * each). The same entries give the same bytes, so an interrupted transfer can go on. Files that
 * reach 4 GiB get zip64 records.
 */
export function zipStream(entries: Entries, options: ZipOptions = {}): Readable {
  return Readable.from(new ZipWriter(options).archive(entries), {
    objectMode: false,
    highWaterMark: 4 * CHUNK_BYTES,
  });
}

class ZipWriter {
  readonly #level: number;
  readonly #onRead: ((bytes: number) => void) | undefined;
  readonly #list: Buffer[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Where in the archive the next piece goes. */
  #offset = 0;

  constructor({ level = DEFAULT_LEVEL, onRead }: ZipOptions) {
    this.#level = level;
    this.#onRead = onRead;
  }

  async *archive(entries: Entries): AsyncGenerator<Buffer> {
    for await (const entry of entries) {
      if (entry.kind !== 'file') this.#whole(blank(entry), Buffer.from(entry.target));
      else if (!this.#smallFile(entry)) yield* this.#largeFile(entry);
      if (this.#heldBytes >= GATHER_BYTES) yield* this.#flush();
      // Small files are read and packed without waiting; others want a turn too.
      if (isOthersTurn()) await turn();
    }
    yield* this.#flush();
    const start = this.#offset;
    for (const record of this.#list) {
      this.#hold(record);
      if (this.#heldBytes >= GATHER_BYTES) yield* this.#flush();
    }
    this.#hold(endRecords(this.#list.length, this.#offset - start, start));
    yield* this.#flush();
  }

  /** Keeps a small piece until there are enough of them: an archive of many small files is many small pieces. */
  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    this.#offset += piece.length;
  }

  *#flush(): Generator<Buffer> {
    if (this.#heldBytes === 0) return;
    yield Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Packs a file that is small when it is opened; false when it is not. */
  #smallFile(entry: TreeEntry): boolean {
    const file = new SteadyFile(entry);
    try {
      const content = file.size > SMALL_BYTES ? undefined : smallContent(file, SMALL_BYTES);
      if (content === undefined) return false;
      this.#onRead?.(content.length);
      this.#whole(blank(entry, file), content);
      return true;
    } finally {
      file.closeSync();
    }
  }

  async *#largeFile(entry: TreeEntry): AsyncGenerator<Buffer> {
    yield* this.#flush();
    const file = new SteadyFile(entry);
    try {
      for await (const chunk of this.#streamed(blank(entry, file), file)) {
        this.#offset += chunk.length;
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  /** Folders, links and small files: packed in one go. */
  #whole(plain: Record, content: Buffer): void {
    const packed =
      this.#level > 0 && content.length > 64 ? deflateSmall(content, this.#level) : content;
    const deflated = packed.length < content.length;
    const data = deflated ? packed : content;
    const record = {
      ...plain,
      deflated,
      crc: crc32(content),
      bytes: content.length,
      packedBytes: data.length,
    };
    this.#list.push(centralRecord(record, this.#offset));
    this.#hold(localHeader(record));
    if (data.length > 0) this.#hold(data);
  }

  async *#streamed(plain: Record, file: SteadyFile): AsyncGenerator<Buffer> {
    const offset = this.#offset;
    const first = Buffer.allocUnsafe(SMALL_BYTES);
    const sample = first.subarray(0, await file.read(first, 0));
    const deflated =
      this.#level > 0 &&
      deflateRawSync(sample, { level: 1 }).length < sample.length * WORTH_DEFLATING;
    // Room for what deflate adds to data that it cannot shrink. A small file that is streamed lies about its size.
    const wide = file.size <= SMALL_BYTES || file.size * 1.001 + 1024 * 1024 >= MAX_32;
    const begun = { ...plain, deflated, wide, streamed: true };
    yield localHeader(begun);
    const counts = { crc: 0, bytes: 0 };
    let packedBytes = 0;
    const source = counted(contentOf(file, CHUNK_BYTES), counts);
    let readBytes = 0;
    for await (const chunk of deflated ? deflateLarge(source, this.#level) : source) {
      packedBytes += chunk.length;
      this.#onRead?.(counts.bytes - readBytes);
      readBytes = counts.bytes;
      yield chunk;
    }
    const record = { ...begun, ...counts, packedBytes };
    yield dataDescriptor(record);
    this.#list.push(centralRecord(record, offset));
  }
}

/** The record of an entry whose content is not known yet, with mode and time of what was opened. */
function blank(entry: TreeEntry, { mode, mtimeNs }: Dress = entry): Record {
  const name = Buffer.from(entry.kind === 'folder' ? `${entry.name}/` : entry.name);
  if (name.length > 0xffff)
    throw new BadRequestError(`${entry.path}: the name is too long for a zip archive`);
  return {
    name,
    isFolder: entry.kind === 'folder',
    mode: TYPE_BITS[entry.kind] | mode,
    mtimeNs,
    deflated: false,
    streamed: false,
    wide: false,
    crc: 0,
    packedBytes: 0,
    bytes: 0,
  };
}

/** A window no larger than the data: making a full one takes longer than deflating 4 KiB. */
function deflateSmall(content: Buffer, level: number): Buffer {
  const windowBits = content.length <= 4096 ? 12 : content.length <= 16384 ? 14 : 15;
  // Room for all of it at once: the default of 16 KiB a file is mostly garbage.
  const chunkSize = content.length + 64;
  return deflateRawSync(content, {
    level,
    windowBits,
    chunkSize,
    memLevel: content.length <= 16384 ? 6 : 8,
  });
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  counts: { crc: number; bytes: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    counts.crc = crc32(chunk, counts.crc);
    counts.bytes += chunk.length;
    yield chunk;
  }
}

function deflateLarge(source: AsyncIterable<Buffer>, level: number): AsyncIterable<Buffer> {
  const deflate = createDeflateRaw({ level, chunkSize: CHUNK_BYTES });
  const from = Readable.from(source, { objectMode: false, highWaterMark: 2 * CHUNK_BYTES });
  // An error of either ends the other one, and whoever reads is told.
  return pipeline(from, deflate, () => {});
}
