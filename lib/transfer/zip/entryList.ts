import { BadRequestError } from '../../errors.ts';
import type { FileWindow } from './fileWindow.ts';
import { MAX_32 } from './format.ts';

/** Where the list of the entries of an archive lies in its file (APPNOTE.TXT 4.3.12 to 4.3.16). */
export interface ListPlace {
  readonly at: number;
  readonly bytes: number;
  /** How many entries its end says it has. */
  readonly count: number;
  /** Whether that number has room for all of them; else it is what is left of a division by 65,536. */
  readonly wide: boolean;
  /** Where the archive starts: what stands before it (a program that unpacks it) is not counted in its offsets. */
  readonly base: number;
}

/** An entry as the list has it. */
export interface ListedEntry {
  readonly madeBy: number;
  readonly flags: number;
  readonly method: number;
  readonly dosTime: number;
  readonly dosDate: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly attributes: number;
  /** Where in the file the record before the data lies. */
  readonly headerAt: number;
  readonly name: Buffer;
  readonly extras: readonly ExtraField[];
}

export interface ExtraField {
  readonly id: number;
  readonly data: Buffer;
}

const END = Buffer.from('PK\x05\x06', 'latin1');
const END_BYTES = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const WIDE_END = 0x06064b50;
const WIDE_END_BYTES = 56;
const RECORD = 0x02014b50;
const RECORD_BYTES = 46;
const SIGNATURE = 0x05054b50;
const MAX_16 = 0xffff;
/** Behind the end there may be a comment of 64 KiB, and what other programs have added: padding, a report. */
const TAIL_BYTES = 1024 * 1024;

/**
 * Finds the list. As unzip and Python do, the last end record counts to which a list belongs, and the list stands
 * right before it, wherever its offset says.
 * @throws BadRequestError when there is none
 */
export function findList(window: FileWindow, size: number): ListPlace {
  const start = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.from(window.peek(start, size - start));
  for (
    let at = tail.lastIndexOf(END);
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf(END, at - 1)
  ) {
    if (at + END_BYTES > tail.length) continue;
    const place = listBefore(window, start + at, tail.subarray(at));
    if (place !== undefined) return place;
  }
  throw new BadRequestError('what arrived is not a zip archive: it has no list of entries');
}

function listBefore(window: FileWindow, endAt: number, end: Buffer): ListPlace | undefined {
  const said = {
    count: end.readUInt16LE(10),
    bytes: end.readUInt32LE(12),
    offset: end.readUInt32LE(16),
  };
  const wide = wideEnd(window, endAt);
  const { bytes, offset, count } = wide ?? said;
  const listEnd = wide?.at ?? endAt;
  const at = [listEnd - bytes, offset].find(
    (place) => place >= offset && place + bytes <= listEnd && startsList(window, place, bytes),
  );
  if (at === undefined) return undefined;
  if (wide === undefined && [4, 6].some((disk) => end.readUInt16LE(disk) !== 0)) {
    throw new BadRequestError('refused archive: it is one part of several');
  }
  if (wide !== undefined && !agree(said, wide)) {
    throw new BadRequestError('refused archive: its two end records name two lists');
  }
  return { at, bytes, count, wide: wide !== undefined, base: at - offset };
}

interface End {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
}

/** Whether every number of the narrow record is that of the wide one, or says that it does not fit. */
function agree(narrow: End, wide: End): boolean {
  return (
    (narrow.count === MAX_16 || narrow.count === wide.count) &&
    (narrow.bytes === MAX_32 || narrow.bytes === wide.bytes) &&
    (narrow.offset === MAX_32 || narrow.offset === wide.offset)
  );
}

function startsList(window: FileWindow, at: number, bytes: number): boolean {
  if (bytes === 0) return true;
  const head = window.peek(at, 4);
  return head.length === 4 && head.readUInt32LE(0) === RECORD;
}

/** The record with wide numbers that stands before the end, if there is one. */
function wideEnd(window: FileWindow, endAt: number) {
  const locator = Buffer.from(window.peek(Math.max(0, endAt - LOCATOR_BYTES), LOCATOR_BYTES));
  if (endAt < LOCATOR_BYTES || locator.readUInt32LE(0) !== LOCATOR) return undefined;
  const before = endAt - LOCATOR_BYTES - WIDE_END_BYTES;
  for (const at of [before, Number(locator.readBigUInt64LE(8))]) {
    if (at < 0 || at > before) continue;
    const record = window.peek(at, WIDE_END_BYTES);
    if (record.readUInt32LE(0) !== WIDE_END) continue;
    const [count = 0, bytes = 0, offset = 0] = [32, 40, 48].map((from) =>
      Number(record.readBigUInt64LE(from)),
    );
    return { at, count, bytes, offset };
  }
  return undefined;
}

/** The entries of a list, one after the other. @throws BadRequestError when the list is damaged */
export function* listedEntries(window: FileWindow, place: ListPlace): Generator<ListedEntry> {
  const end = place.at + place.bytes;
  let count = 0;
  for (let at = place.at; at < end; ) {
    const head = window.peek(at, RECORD_BYTES);
    const kind = head.length < 4 ? 0 : head.readUInt32LE(0);
    if (kind === SIGNATURE) break;
    if (kind !== RECORD || head.length < RECORD_BYTES) throw damagedList('a record is broken');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((from) =>
      head.readUInt16LE(from),
    ) as [number, number, number];
    const length = RECORD_BYTES + nameBytes + extraBytes + commentBytes;
    if (at + length > end) throw damagedList('a record is cut off');
    const record = window.peek(at, RECORD_BYTES + nameBytes + extraBytes);
    yield listed(record, nameBytes, place.base);
    count += 1;
    at += length;
  }
  // 16 bits are not enough for all numbers of entries; programs without zip64 write what fits.
  const isRight = place.wide ? count === place.count : (count & MAX_16) === (place.count & MAX_16);
  if (!isRight) throw damagedList(`it has ${count} entries, and its end says ${place.count}`);
}

function listed(record: Buffer, nameBytes: number, base: number): ListedEntry {
  const name = Buffer.from(record.subarray(RECORD_BYTES, RECORD_BYTES + nameBytes));
  const extras = extraFields(Buffer.from(record.subarray(RECORD_BYTES + nameBytes)));
  // Numbers that do not fit stand in a field of their own, in this order.
  const wide = extras.find(({ id }) => id === 1)?.data;
  let at = 0;
  const number = (from: number): number => {
    const value = record.readUInt32LE(from);
    if (value !== MAX_32) return value;
    if (wide === undefined || at + 8 > wide.length) throw damagedList('a wide number is missing');
    at += 8;
    return Number(wide.readBigUInt64LE(at - 8));
  };
  const bytes = number(24);
  const packedBytes = number(20);
  return {
    madeBy: record.readUInt16LE(4),
    flags: record.readUInt16LE(8),
    method: record.readUInt16LE(10),
    dosTime: record.readUInt16LE(12),
    dosDate: record.readUInt16LE(14),
    crc: record.readUInt32LE(16),
    packedBytes,
    bytes,
    attributes: record.readUInt32LE(38),
    headerAt: base + number(42),
    name,
    extras,
  };
}

/** Fields with their numbers; what is cut off is left out. */
function extraFields(extra: Buffer): ExtraField[] {
  const fields: ExtraField[] = [];
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (at + 4 + length > extra.length) break;
    fields.push({ id: extra.readUInt16LE(at), data: extra.subarray(at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return fields;
}

function damagedList(why: string): BadRequestError {
  return new BadRequestError(`the zip archive is damaged: in its list of entries, ${why}`);
}
