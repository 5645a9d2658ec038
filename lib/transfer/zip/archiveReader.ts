import { readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { BadRequestError, messageOf } from '../../errors.ts';
import { safeParts } from '../names.ts';
import { mtimeFromExtra } from './format.ts';

/** One entry of an archive, its name checked. */
export interface ArchiveEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Permission bits; undefined when the archive was not made on Unix. */
  readonly mode: number | undefined;
  readonly mtimeNs: bigint;
  readonly bytes: number;
  readonly packedBytes: number;
  readonly deflated: boolean;
  readonly crc: number;
  /** Where the record before the data lies. */
  readonly headerAt: number;
}

const WINDOW_BYTES = 256 * 1024;
const SMALL_BYTES = 128 * 1024;
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;

/** Reads a file through a window: the list at the end of an archive is thousands of tiny reads. */
class WindowReader extends RandomAccessReader {
  readonly #fd: number;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #start = 0;
  #length = 0;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  /** Up to `length` bytes from `position`; a view that the next call may overwrite. */
  peek(position: number, length: number): Buffer {
    if (length > WINDOW_BYTES) {
      const large = Buffer.alloc(length);
      return large.subarray(0, readSync(this.#fd, large, 0, length, position));
    }
    if (position < this.#start || position + length > this.#start + this.#length) {
      this.#start = position;
      this.#length = readSync(this.#fd, this.#window, 0, WINDOW_BYTES, position);
    }
    const from = position - this.#start;
    return this.#window.subarray(from, Math.min(from + length, this.#length));
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    try {
      const found = this.peek(position, length);
      if (found.length < length) throw new Error('unexpected end of the archive');
      found.copy(buffer, offset);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(messageOf(error)));
      return;
    }
    callback(null);
  }
}

/** An archive in an open file. The file stays open when the archive is closed. */
export class ArchiveReader {
  readonly #zip: ZipFile;
  readonly #reader: WindowReader;
  readonly #fd: number;
  readonly #size: number;

  private constructor(zip: ZipFile, reader: WindowReader, fd: number, size: number) {
    this.#zip = zip;
    this.#reader = reader;
    this.#fd = fd;
    this.#size = size;
  }

  /** @throws BadRequestError when the file is no zip archive */
  static async open(fd: number, size: number): Promise<ArchiveReader> {
    const reader = new WindowReader(fd);
    try {
      const zip = await fromRandomAccessReaderPromise(reader, size, {
        lazyEntries: true,
        decodeStrings: false,
        autoClose: false,
        validateEntrySizes: true,
      });
      return new ArchiveReader(zip, reader, fd, size);
    } catch (cause) {
      throw new BadRequestError(`what arrived is not a zip archive: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** All entries, checked. @throws BadRequestError at the first that cannot be accepted */
  async entries(): Promise<ArchiveEntry[]> {
    const all: ArchiveEntry[] = [];
    try {
      for await (const entry of this.#zip.eachEntry()) all.push(checked(entry));
    } catch (error) {
      if (error instanceof BadRequestError) throw error;
      throw new BadRequestError(`the zip archive is damaged: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return all;
  }

  /** The content of a small entry, else undefined: then `stream` is for it. */
  small(entry: ArchiveEntry): Buffer | undefined {
    if (entry.bytes > SMALL_BYTES || entry.packedBytes > SMALL_BYTES) return undefined;
    const start = this.#dataStart(entry);
    const packed = this.#reader.peek(start, entry.packedBytes);
    let content: Buffer;
    try {
      content = !entry.deflated
        ? Buffer.from(packed)
        : inflateRawSync(packed, {
            chunkSize: entry.bytes + 64,
            maxOutputLength: Math.max(1, entry.bytes),
          });
    } catch (cause) {
      throw damaged(entry, messageOf(cause), cause);
    }
    if (content.length !== entry.bytes) throw damaged(entry, 'it has another length than it says');
    if (crc32(content) !== entry.crc) throw damaged(entry, 'wrong checksum');
    return content;
  }

  /** The content of an entry, as a stream that fails when length or checksum are not as declared. */
  async *stream(entry: ArchiveEntry): AsyncGenerator<Buffer> {
    const start = this.#dataStart(entry);
    const packed = Readable.from(this.#raw(start, entry.packedBytes), {
      objectMode: false,
      highWaterMark: 2 * WINDOW_BYTES,
    });
    // An error of either ends the other one, and whoever reads is told.
    const content = entry.deflated
      ? pipeline(packed, createInflateRaw({ chunkSize: WINDOW_BYTES }), () => {})
      : packed;
    let crc = 0;
    let bytes = 0;
    try {
      for await (const chunk of content as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > entry.bytes) throw damaged(entry, 'it is longer than it says');
        crc = crc32(chunk, crc);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof BadRequestError ? error : damaged(entry, messageOf(error), error);
    } finally {
      content.destroy();
      packed.destroy();
    }
    if (bytes !== entry.bytes) throw damaged(entry, 'it is shorter than it says');
    if (crc !== entry.crc) throw damaged(entry, 'wrong checksum');
  }

  *#raw(start: number, length: number): Generator<Buffer> {
    for (let at = 0; at < length; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, length - at));
      const read = readSync(this.#fd, chunk, 0, chunk.length, start + at);
      if (read === 0) return;
      at += read;
      yield chunk.subarray(0, read);
    }
  }

  #dataStart(entry: ArchiveEntry): number {
    const header = this.#reader.peek(entry.headerAt, LOCAL_HEADER_BYTES);
    if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER) {
      throw damaged(entry, 'its data is not where the list says');
    }
    const start =
      entry.headerAt + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (start + entry.packedBytes > this.#size)
      throw damaged(entry, 'its data ends behind the archive');
    return start;
  }
}

function damaged({ name }: ArchiveEntry, why: string, cause?: unknown): BadRequestError {
  return new BadRequestError(`the zip archive is damaged at ${JSON.stringify(name)}: ${why}`, {
    cause,
  });
}

const MADE_ON_UNIX = new Set([3, 19]);
const TYPE_MASK = 0o170000;

function checked(source: Entry): ArchiveEntry {
  const raw = source.fileName as unknown as Buffer;
  const text = raw.toString('utf8');
  const isUtf8 = Buffer.from(text).equals(raw);
  const decoded = isUtf8 ? text : raw.toString('latin1');
  const unixMode = MADE_ON_UNIX.has(source.versionMadeBy >>> 8)
    ? source.externalFileAttributes >>> 16
    : 0;
  const type = unixMode & TYPE_MASK;
  const endsAsFolder = decoded.endsWith('/');
  const name = safeParts(endsAsFolder ? decoded.slice(0, -1) : decoded).join('/');
  const kind = endsAsFolder || type === 0o040000 ? 'folder' : type === 0o120000 ? 'link' : 'file';
  if (kind === 'file' && type !== 0 && type !== 0o100000) {
    throw new BadRequestError(
      `refused archive entry ${JSON.stringify(name)}: it is a device, pipe or socket`,
    );
  }
  if (source.isEncrypted()) {
    throw new BadRequestError(`refused archive entry ${JSON.stringify(name)}: it is encrypted`);
  }
  if (source.compressionMethod !== 0 && source.compressionMethod !== 8) {
    throw new BadRequestError(
      `refused archive entry ${JSON.stringify(name)}: compression method ${source.compressionMethod}`,
    );
  }
  const fallback = BigInt(source.getLastModDate().getTime()) * 1_000_000n;
  return {
    name,
    kind,
    mode: unixMode === 0 ? undefined : unixMode & 0o7777,
    mtimeNs: mtimeFromExtra(source.extraFields) ?? fallback,
    bytes: source.uncompressedSize,
    packedBytes: source.compressedSize,
    deflated: source.compressionMethod === 8,
    crc: source.crc32,
    headerAt: source.relativeOffsetOfLocalHeader,
  };
}
