/**
 * A pack: what a folder holds as one row of records, for our own programs. It can be unpacked while it comes, which a zip
 * archive cannot: its list stands at the end. All numbers are little-endian.
 *
 *     start    "pfiohpk1", entries (64 bits), bytes of all files (64 bits)
 *     record   kind (8), 0 (8), bytes of the name (16), mode (16), mtime in ns (16 high bits, signed; 64 low bits),
 *              bytes (64), the name in UTF-8, the content. The high bits were 0 in earlier versions, whose 64 were
 *              signed: what fits into those is written as they wrote it
 *     end      a record of kind 0 without a name; its bytes are the number of entries
 *
 * A `patch` is a file that is made from the one that is in its place: a row of pieces as well, but one whose length has
 * its highest bit set is copied from there, and only where it begins (64 bits) follows. Behind the 0 stands the SHA-256
 * of all of it.
 *
 * The content of a `file` and of a `link` (where it leads) stands behind the name: as many bytes as the record says. That
 * of a `pieces`, a file that is large or does not know its size, is a row of pieces: bytes (32), content; 0 ends it.
 *
 * A `failed` is a file that cannot be sent: its content is JSON, `[code, why]`. One that turns out to be so while it is
 * sent ends with a length of 32 bits that are set, in place of 0, and its `failed` follows. They count as one entry. Only
 * who says that it knows them gets them.
 */
import { BadRequestError } from '../../errors.ts';

const START = Buffer.from('pfiohpk1', 'latin1');
export const START_BYTES = 24;
export const HEAD_BYTES = 24;
/** The longest content of a `file`. */
export const SMALL_BYTES = 64 * 1024;
/** The longest piece. */
export const PIECE_BYTES = 1024 * 1024;
/** The bit of a length that says that a piece is copied. */
export const COPIED = 0x8000_0000;
export const COPY_HEAD_BYTES = 12;
export const SUM_BYTES = 32;
/** The longest way of a link, as of Linux. */
const TARGET_BYTES = 4096;

/** The length that says that a file in pieces cannot be sent to its end. */
export const BROKEN = 0xffff_ffff;
/** The longest content of a `failed`. */
const FAILED_BYTES = 16 * 1024;

export const KINDS = ['end', 'file', 'folder', 'link', 'pieces', 'patch', 'failed'] as const;
export type Kind = (typeof KINDS)[number];

const MOST_BYTES: Readonly<Partial<Record<Kind, number>>> = {
  file: SMALL_BYTES,
  link: TARGET_BYTES,
  failed: FAILED_BYTES,
};

/** What is said of all that comes. */
export interface PackStart {
  readonly entries: number;
  /** Of all files. */
  readonly bytes: number;
}

export interface PackHead {
  readonly kind: Kind;
  readonly nameBytes: number;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly bytes: number;
}

/** Writes the start into a buffer. */
export function writeStart({ entries, bytes }: PackStart, to: Buffer, at: number): void {
  START.copy(to, at);
  writeNumber(entries, to, at + 8);
  writeNumber(bytes, to, at + 16);
}

/** @throws BadRequestError when a buffer does not begin with a start */
export function readStart(from: Buffer): PackStart {
  if (!from.subarray(0, START.length).equals(START)) throw damagedPack('it does not begin as one');
  return { entries: readNumber(from, 8), bytes: readNumber(from, 16) };
}

/** Writes a head into a buffer; the name and the content come behind it. */
export function writeHead(head: PackHead, to: Buffer, at: number): void {
  to[at] = KINDS.indexOf(head.kind);
  to[at + 1] = 0;
  to.writeUInt16LE(head.nameBytes, at + 2);
  to.writeUInt16LE(head.mode, at + 4);
  // 64 bits end in the year 2262, and file systems keep later times.
  const low = BigInt.asIntN(64, head.mtimeNs);
  to.writeInt16LE(Number((head.mtimeNs - low) >> 64n), at + 6);
  to.writeBigInt64LE(low, at + 8);
  writeNumber(head.bytes, to, at + 16);
}

/** @throws BadRequestError for a kind that is none, and for numbers that cannot be */
export function readHead(from: Buffer, at: number): PackHead {
  const kind = KINDS[from[at] ?? KINDS.length];
  if (kind === undefined) throw damagedPack('a record is of no known kind');
  const bytes = readNumber(from, at + 16);
  if (bytes > (MOST_BYTES[kind] ?? Number.MAX_SAFE_INTEGER))
    throw damagedPack(`a ${kind} is longer than one can be`);
  return {
    kind,
    nameBytes: from.readUInt16LE(at + 2),
    mode: from.readUInt16LE(at + 4),
    mtimeNs: (BigInt(from.readInt16LE(at + 6)) << 64n) + from.readBigInt64LE(at + 8),
    bytes,
  };
}

// Two halves are read and written faster than a BigInt.
function writeNumber(value: number, to: Buffer, at: number): void {
  to.writeUInt32LE(value % 0x1_0000_0000, at);
  to.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

function readNumber(from: Buffer, at: number): number {
  const value = from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 0x1_0000_0000;
  if (value > Number.MAX_SAFE_INTEGER) throw damagedPack('a number in it is too large');
  return value;
}

/** Writes which bytes of the file in place are copied. */
export function writeCopy(bytes: number, from: number, to: Buffer, at: number): void {
  to.writeUInt32LE(COPIED + bytes, at);
  writeNumber(from, to, at + 4);
}

/** Where a copy begins whose head stands here. @throws BadRequestError */
export function copyStart(head: Buffer): number {
  return readNumber(head, 4);
}

/** Why a pack cannot be read. */
export function damagedPack(why: string): BadRequestError {
  return new BadRequestError(`the pack that arrived is damaged: ${why}`);
}
