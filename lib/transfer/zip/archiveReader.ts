import { readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { isOthersTurn, turn } from '../../concurrency/turns.ts';
import { BadRequestError, messageOf } from '../../errors.ts';
import { entryParts } from '../names.ts';
import { bunzip2 } from './bzip2.ts';
import { findList, type ListedEntry, type ListPlace, listedEntries } from './entryList.ts';
import { entryName } from './entryName.ts';
import { FileWindow } from './fileWindow.ts';
import { mtimeOf } from './format.ts';
import { type Packing, packingOf } from './methods.ts';

/** One entry of an archive, its name checked. */
export interface ArchiveEntry {
  /** Relative, without `.` and empty parts; never empty. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Permission bits; undefined when the archive was not made on Unix. */
  readonly mode: number | undefined;
  readonly mtimeNs: bigint;
  readonly bytes: number;
  readonly packedBytes: number;
  readonly packing: Packing;
  readonly crc: number;
  /** Where the record before the data lies. */
  readonly headerAt: number;
}

const CHUNK_BYTES = 256 * 1024;
const SMALL_BYTES = 128 * 1024;
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;

/** An archive in an open file. The file stays open when the archive is closed. */
export class ArchiveReader {
  readonly #list: ListPlace;
  readonly #window: FileWindow;
  readonly #fd: number;
  readonly #size: number;

  /** @throws BadRequestError when the file is no zip archive */
  constructor(fd: number, size: number) {
    this.#window = new FileWindow(fd);
    this.#list = findList(this.#window, size);
    this.#fd = fd;
    this.#size = size;
  }

  /** All entries, checked. @throws BadRequestError at the first that cannot be accepted */
  async entries(): Promise<ArchiveEntry[]> {
    const all: ArchiveEntry[] = [];
    for (const listed of listedEntries(this.#window, this.#list)) {
      if (isOthersTurn()) await turn();
      const entry = checked(listed);
      if (entry !== undefined) all.push(entry);
    }
    return all;
  }

  /** The content of a small entry, else undefined: then `stream` is for it. */
  small(entry: ArchiveEntry): Buffer | undefined {
    if (entry.bytes > SMALL_BYTES || entry.packedBytes > SMALL_BYTES) return undefined;
    const start = this.#dataStart(entry);
    const packed = this.#window.peek(start, entry.packedBytes);
    let content: Buffer;
    try {
      content = unpackSmall(packed, entry);
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
    const raw = this.#raw(start, entry.packedBytes);
    const content = entry.packing === 'deflated' ? inflated(raw) : plainOf(raw, entry.packing);
    let crc = 0;
    let bytes = 0;
    try {
      for await (const chunk of content) {
        bytes += chunk.length;
        if (bytes > entry.bytes) throw damaged(entry, 'it is longer than it says');
        crc = crc32(chunk, crc);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof BadRequestError ? error : damaged(entry, messageOf(error), error);
    }
    if (bytes !== entry.bytes) throw damaged(entry, 'it is shorter than it says');
    if (crc !== entry.crc) throw damaged(entry, 'wrong checksum');
  }

  *#raw(start: number, length: number): Generator<Buffer> {
    for (let at = 0; at < length; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, length - at));
      const read = readSync(this.#fd, chunk, 0, chunk.length, start + at);
      if (read === 0) return;
      at += read;
      yield chunk.subarray(0, read);
    }
  }

  #dataStart(entry: ArchiveEntry): number {
    const header = this.#window.peek(entry.headerAt, LOCAL_HEADER_BYTES);
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

/** The content of an entry at once. @throws Error when it is broken or longer than it says */
function unpackSmall(packed: Buffer, { packing, bytes }: ArchiveEntry): Buffer {
  if (packing === 'stored') return Buffer.from(packed);
  if (packing === 'deflated') {
    return inflateRawSync(packed, {
      chunkSize: bytes + 64,
      maxOutputLength: Math.max(1, bytes),
    });
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for (const piece of bunzip2([packed])) {
    length += piece.length;
    if (length > bytes) throw new Error('it is longer than it says');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function* inflated(raw: Iterable<Buffer>): AsyncGenerator<Buffer> {
  const packed = Readable.from(raw, { objectMode: false, highWaterMark: 2 * CHUNK_BYTES });
  // An error of either ends the other one, and whoever reads is told.
  const content = pipeline(packed, createInflateRaw({ chunkSize: CHUNK_BYTES }), () => {});
  try {
    yield* content as AsyncIterable<Buffer>;
  } finally {
    content.destroy();
    packed.destroy();
  }
}

/** Pieces one by one, others get their turn in between. */
async function* plainOf(raw: Iterable<Buffer>, packing: Packing): AsyncGenerator<Buffer> {
  for (const piece of packing === 'bzip2' ? bunzip2(raw) : raw) {
    yield piece;
    if (isOthersTurn()) await turn();
  }
}

const MADE_ON_UNIX = new Set([3, 19]);
const TYPE_MASK = 0o170000;

/** Undefined for the folder that all is in (`./`), which is there anyway. @throws BadRequestError */
function checked(listed: ListedEntry): ArchiveEntry | undefined {
  const said = entryName(listed);
  const unixMode = MADE_ON_UNIX.has(listed.madeBy >>> 8) ? listed.attributes >>> 16 : 0;
  const type = unixMode & TYPE_MASK;
  const name = entryParts(said).join('/');
  const isFolder = said.endsWith('/') || type === 0o040000;
  const kind = isFolder ? 'folder' : type === 0o120000 ? 'link' : 'file';
  const refused = (why: string) =>
    new BadRequestError(`refused archive entry ${JSON.stringify(said)}: ${why}`);
  if (name === '') {
    if (isFolder || said === '.') return undefined;
    throw refused('it has no name');
  }
  // zip says of what it has read from its standard input that it is a pipe, and has the content: unzip makes a file of it.
  const isPiped = type === 0o010000 && listed.bytes > 0;
  if (kind === 'file' && type !== 0 && type !== 0o100000 && !isPiped) {
    throw refused('it is a device, pipe or socket');
  }
  const packing = packingOf(listed);
  if (typeof packing !== 'string') throw refused(packing.unreadable);
  return {
    name,
    kind,
    mode: unixMode === 0 ? undefined : unixMode & 0o7777,
    mtimeNs: mtimeOf(listed),
    bytes: listed.bytes,
    packedBytes: listed.packedBytes,
    packing,
    crc: listed.crc,
    headerAt: listed.headerAt,
  };
}
