import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { BadRequestError } from '../../errors.ts';
import { pathError, type TreeEntry } from '../tree.ts';
import {
  centralRecord,
  dataDescriptor,
  endRecords,
  localHeader,
  MAX_32,
  type Record,
} from './format.ts';

const SMALL_BYTES = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;
const GATHER_BYTES = 128 * 1024;
// Data whose beginning deflates to more than this share is stored as it is.
const WORTH_DEFLATING = 0.97;
const TYPE_BITS = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;

export interface ZipOptions {
  /** zlib's level, 0 to 9. */
  readonly level?: number;
}

/**
 * A zip archive of entries as a stream. Nothing is kept but the list of entries (some 150 bytes
 * each). The same entries give the same bytes, so an interrupted transfer can go on. Files that
 * reach 4 GiB get zip64 records.
 */
export function zipStream(entries: AsyncIterable<TreeEntry>, options: ZipOptions = {}): Readable {
  return Readable.from(gather(new ZipWriter(options.level ?? 6).archive(entries)), {
    objectMode: false,
    highWaterMark: 4 * CHUNK_BYTES,
  });
}

class ZipWriter {
  readonly #level: number;
  readonly #list: Buffer[] = [];
  #offset = 0;

  constructor(level: number) {
    this.#level = level;
  }

  async *archive(entries: AsyncIterable<TreeEntry>): AsyncGenerator<Buffer> {
    for await (const entry of entries) {
      for await (const chunk of this.#entry(entry)) {
        this.#offset += chunk.length;
        yield chunk;
      }
    }
    const start = this.#offset;
    let bytes = 0;
    for (const record of this.#list) {
      bytes += record.length;
      yield record;
    }
    yield endRecords(this.#list.length, bytes, start);
  }

  async *#entry(entry: TreeEntry): AsyncGenerator<Buffer> {
    const offset = this.#offset;
    const name = Buffer.from(entry.kind === 'folder' ? `${entry.name}/` : entry.name);
    if (name.length > 0xffff)
      throw new BadRequestError(`${entry.path}: the name is too long for a zip archive`);
    const blank: Record = {
      name,
      isFolder: entry.kind === 'folder',
      mode: TYPE_BITS[entry.kind] | entry.mode,
      mtimeNs: entry.mtimeNs,
      deflated: false,
      streamed: false,
      wide: false,
      crc: 0,
      packedBytes: 0,
      bytes: 0,
    };
    if (entry.kind === 'file' && entry.size > SMALL_BYTES) {
      yield* this.#large(entry, blank, offset);
      return;
    }
    const content = contentOf(entry);
    const packed =
      this.#level > 0 && content.length > 64 ? deflateSmall(content, this.#level) : content;
    const deflated = packed.length < content.length;
    const data = deflated ? packed : content;
    const record = {
      ...blank,
      deflated,
      crc: crc32(content),
      bytes: content.length,
      packedBytes: data.length,
    };
    this.#list.push(centralRecord(record, offset));
    yield localHeader(record);
    if (data.length > 0) yield data;
  }

  async *#large(entry: TreeEntry, blank: Record, offset: number): AsyncGenerator<Buffer> {
    const file = await open(entry.path).catch((cause: unknown) => {
      throw pathError(entry.path, 'read', cause);
    });
    try {
      const first = Buffer.allocUnsafe(SMALL_BYTES);
      const { bytesRead } = await file.read(first, 0, first.length, 0);
      const sample = first.subarray(0, bytesRead);
      const deflated =
        this.#level > 0 &&
        deflateRawSync(sample, { level: 1 }).length < sample.length * WORTH_DEFLATING;
      // Room for what deflate adds to data that it cannot shrink, and for a file that still grows.
      const wide = entry.size * 1.001 + 1024 * 1024 >= MAX_32;
      const plain = { ...blank, deflated, wide, streamed: true };
      yield localHeader(plain);
      const counts = { crc: 0, bytes: 0 };
      let packedBytes = 0;
      const source = countedChunks(file, counts);
      for await (const chunk of deflated ? deflateLarge(source, this.#level) : source) {
        packedBytes += chunk.length;
        yield chunk;
      }
      if (!wide && Math.max(packedBytes, counts.bytes) >= MAX_32) {
        throw new BadRequestError(`${entry.path} grew while it was read`);
      }
      const record = { ...plain, ...counts, packedBytes };
      yield dataDescriptor(record);
      this.#list.push(centralRecord(record, offset));
    } finally {
      await file.close();
    }
  }
}

function contentOf(entry: TreeEntry): Buffer {
  if (entry.kind === 'folder') return Buffer.alloc(0);
  if (entry.kind === 'link') return Buffer.from(entry.target);
  let fd: number | undefined;
  try {
    fd = openSync(entry.path, 'r');
    const size = fstatSync(fd).size;
    const content = Buffer.allocUnsafe(size);
    const read = size === 0 ? 0 : readSync(fd, content, 0, size, 0);
    return content.subarray(0, read);
  } catch (cause) {
    throw pathError(entry.path, 'read', cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
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

async function* countedChunks(
  file: {
    read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
    ): Promise<{ bytesRead: number }>;
  },
  counts: { crc: number; bytes: number },
): AsyncGenerator<Buffer> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, counts.bytes);
    if (bytesRead === 0) return;
    const chunk = buffer.subarray(0, bytesRead);
    counts.crc = crc32(chunk, counts.crc);
    counts.bytes += bytesRead;
    yield chunk;
  }
}

function deflateLarge(source: AsyncIterable<Buffer>, level: number): AsyncIterable<Buffer> {
  const deflate = createDeflateRaw({ level, chunkSize: CHUNK_BYTES });
  const from = Readable.from(source, { objectMode: false, highWaterMark: 2 * CHUNK_BYTES });
  from.once('error', (error) => deflate.destroy(error));
  deflate.once('close', () => from.destroy());
  return from.pipe(deflate);
}

/** Puts small chunks together: an archive of many small files is many small chunks. */
async function* gather(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    if (size < GATHER_BYTES) continue;
    yield held.length === 1 ? chunk : Buffer.concat(held, size);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held, size);
}
