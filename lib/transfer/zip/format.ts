import { floorDivided } from '../times.ts';

/** The layout of zip records that we write (APPNOTE.TXT 6.3), little endian, with zip64 where needed. */

export interface Record {
  readonly name: Buffer;
  readonly isFolder: boolean;
  /** Unix mode with the type bits. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly deflated: boolean;
  /** Sizes follow the data instead of standing before it. */
  readonly streamed: boolean;
  /** Sizes take 8 bytes behind streamed data. */
  readonly wide: boolean;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
}

export const MAX_32 = 0xffffffff;
const UTF8_NAMES = 1 << 11;
const SIZES_FOLLOW = 1 << 3;
const MADE_ON_UNIX = (3 << 8) | 63;

function flags({ streamed }: Record): number {
  return UTF8_NAMES | (streamed ? SIZES_FOLLOW : 0);
}

/** The record before the data of an entry. */
export function localHeader(record: Record): Buffer {
  const extra = Buffer.concat([
    record.wide ? zip64Extra([0, 0]) : Buffer.alloc(0),
    unixTime(record),
  ]);
  const head = Buffer.alloc(30);
  const { date, time } = dosTime(record.mtimeNs);
  const size = (bytes: number) => (record.streamed ? (record.wide ? MAX_32 : 0) : bytes);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(record.wide ? 45 : 20, 4);
  head.writeUInt16LE(flags(record), 6);
  head.writeUInt16LE(record.deflated ? 8 : 0, 8);
  head.writeUInt16LE(time, 10);
  head.writeUInt16LE(date, 12);
  head.writeUInt32LE(record.streamed ? 0 : record.crc, 14);
  head.writeUInt32LE(size(record.packedBytes), 18);
  head.writeUInt32LE(size(record.bytes), 22);
  head.writeUInt16LE(record.name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, record.name, extra]);
}

/** The record behind streamed data. */
export function dataDescriptor({ crc, packedBytes, bytes, wide }: Record): Buffer {
  const out = Buffer.alloc(wide ? 24 : 16);
  out.writeUInt32LE(0x08074b50, 0);
  out.writeUInt32LE(crc, 4);
  if (wide) {
    out.writeBigUInt64LE(BigInt(packedBytes), 8);
    out.writeBigUInt64LE(BigInt(bytes), 16);
  } else {
    out.writeUInt32LE(packedBytes, 8);
    out.writeUInt32LE(bytes, 12);
  }
  return out;
}

/** The record of an entry in the list at the end. */
export function centralRecord(record: Record, offset: number): Buffer {
  const wide = [record.bytes, record.packedBytes, offset].some((n) => n >= MAX_32);
  const extra = Buffer.concat([
    wide ? zip64Extra([record.bytes, record.packedBytes, offset]) : Buffer.alloc(0),
    unixTime(record),
    ntfsTime(record),
  ]);
  const head = Buffer.alloc(46);
  const { date, time } = dosTime(record.mtimeNs);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(MADE_ON_UNIX, 4);
  head.writeUInt16LE(wide || record.wide ? 45 : 20, 6);
  head.writeUInt16LE(flags(record), 8);
  head.writeUInt16LE(record.deflated ? 8 : 0, 10);
  head.writeUInt16LE(time, 12);
  head.writeUInt16LE(date, 14);
  head.writeUInt32LE(record.crc, 16);
  head.writeUInt32LE(wide ? MAX_32 : record.packedBytes, 20);
  head.writeUInt32LE(wide ? MAX_32 : record.bytes, 24);
  head.writeUInt16LE(record.name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(((record.mode << 16) | (record.isFolder ? 0x10 : 0)) >>> 0, 38);
  head.writeUInt32LE(wide ? MAX_32 : offset, 42);
  return Buffer.concat([head, record.name, extra]);
}

/** The end of an archive: how many entries, and where their list starts. */
export function endRecords(count: number, listBytes: number, listOffset: number): Buffer {
  const wide = count >= 0xffff || listBytes >= MAX_32 || listOffset >= MAX_32;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(wide ? 0xffff : count, 8);
  end.writeUInt16LE(wide ? 0xffff : count, 10);
  end.writeUInt32LE(wide ? MAX_32 : listBytes, 12);
  end.writeUInt32LE(wide ? MAX_32 : listOffset, 16);
  if (!wide) return end;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(MADE_ON_UNIX, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(listBytes), 40);
  record.writeBigUInt64LE(BigInt(listOffset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(listOffset + listBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}

function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(0x0001, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  });
  return extra;
}

/** Info-ZIP's extended timestamp: whole seconds, read by `unzip`. Left out beyond 1901 to 2038. */
function unixTime({ mtimeNs }: Record): Buffer {
  const seconds = Number(floorDivided(mtimeNs, 1_000_000_000n));
  if (seconds < -0x80000000 || seconds > 0x7fffffff) return Buffer.alloc(0);
  const extra = Buffer.alloc(9);
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeInt32LE(seconds, 5);
  return extra;
}

// 100 ns steps from 1601-01-01 to 1970-01-01.
const NTFS_EPOCH = 116_444_736_000_000_000n;

/** The NTFS field: the time of modification in steps of 100 ns. */
function ntfsTime({ mtimeNs }: Record): Buffer {
  const steps = floorDivided(mtimeNs, 100n) + NTFS_EPOCH;
  if (steps < 0n) return Buffer.alloc(0);
  const extra = Buffer.alloc(36);
  extra.writeUInt16LE(0x000a, 0);
  extra.writeUInt16LE(32, 2);
  extra.writeUInt16LE(1, 8);
  extra.writeUInt16LE(24, 10);
  for (const at of [12, 20, 28]) extra.writeBigUInt64LE(steps, at);
  return extra;
}

export interface Dated {
  readonly dosTime: number;
  readonly dosDate: number;
  readonly extras: readonly { readonly id: number; readonly data: Buffer }[];
}

/** The time of an entry, in nanoseconds since 1970: from the field that says it best, or the DOS time stamp. */
export function mtimeOf({ dosTime, dosDate, extras }: Dated): bigint {
  const field = (wanted: number, bytes: number) =>
    extras.find(({ id, data }) => id === wanted && data.length >= bytes)?.data;
  const ntfs = field(0x000a, 16);
  const steps = ntfs?.readUInt16LE(4) === 1 ? ntfs.readBigUInt64LE(8) : 0n;
  // 0 is what programs write that do not know it.
  if (steps !== 0n) return (steps - NTFS_EPOCH) * 100n;
  const unix = field(0x5455, 5);
  if (unix !== undefined && (unix[0] ?? 0) & 1) return BigInt(unix.readInt32LE(1)) * 1_000_000_000n;
  // Info-ZIP before 2.0: the times of access and of modification.
  const old = field(0x5855, 8);
  if (old !== undefined) return BigInt(old.readInt32LE(4)) * 1_000_000_000n;
  // PKWARE's field of Unix (APPNOTE.TXT 4.5.7) has them in that order, too.
  const pkware = field(0x000d, 8);
  if (pkware !== undefined) return BigInt(pkware.readInt32LE(4)) * 1_000_000_000n;
  return BigInt(fromDosTime(dosDate, dosTime)) * 1_000_000n;
}

/** Milliseconds since 1970. A day or month 0, which some programs write, is the first one. */
function fromDosTime(date: number, time: number): number {
  const month = Math.max(1, (date >> 5) & 0xf) - 1;
  const day = Math.max(1, date & 0x1f);
  const at = [time >> 11, (time >> 5) & 0x3f, (time & 0x1f) * 2] as const;
  return new Date(1980 + (date >> 9), month, day, ...at).getTime();
}

/** The two words of a DOS time stamp, local time, steps of 2 s, 1980 to 2107. */
function dosTime(mtimeNs: bigint): { date: number; time: number } {
  const at = new Date(Number(mtimeNs / 1_000_000n));
  const year = at.getFullYear();
  if (year < 1980) return { date: 0x21, time: 0 };
  if (year > 2107) return { date: 0xff9f, time: 0xbf7d };
  return {
    date: ((year - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate(),
    time: (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1),
  };
}
