import { crc32, deflateRawSync } from 'node:zlib';
import {
  centralRecord,
  endRecords,
  localHeader,
  type Record,
} from '../../lib/transfer/zip/format.ts';

export interface Crafted {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly mode?: number;
  /** What the records say the content's length is, when that is a lie. */
  readonly claims?: number;
  /** What the records say the content's checksum is, when that is a lie. */
  readonly crc?: number;
  /** Store the content as it is. */
  readonly stored?: boolean;
  /** The content as another method packs it. */
  readonly packed?: Buffer;
  /** The number of that method. */
  readonly method?: number;
  /** The system it was made on. */
  readonly madeBy?: number;
  readonly flags?: number;
  /** Extra fields in place of those with the time. */
  readonly extra?: Buffer;
}

export interface Around {
  /** What stands before the archive, counted in its offsets. */
  readonly before?: Buffer;
  /** No wide records at its end, however many entries it has. */
  readonly narrow?: boolean;
}

/** An archive with any names, modes and lengths, as another program or an attacker would make it. */
export function craftArchive(
  entries: readonly Crafted[],
  { before = Buffer.alloc(0), narrow = false }: Around = {},
): Buffer {
  const parts: Buffer[] = [before];
  const list: Buffer[] = [];
  let offset = before.length;
  for (const entry of entries) {
    const { name, content = 'x', mode = 0o100644, claims, crc, stored = false } = entry;
    const bytes = Buffer.from(content);
    const packed = entry.packed ?? (stored ? bytes : deflateRawSync(bytes));
    const record: Record = {
      name: Buffer.from(name),
      isFolder: String(name).endsWith('/'),
      mode,
      mtimeNs: 1_700_000_000_000_000_000n,
      deflated: !stored,
      streamed: false,
      wide: false,
      crc: crc ?? crc32(bytes),
      packedBytes: packed.length,
      bytes: claims ?? bytes.length,
    };
    list.push(changedRecord(centralRecord(record, offset), entry));
    const header = localHeader(record);
    parts.push(header, packed);
    offset += header.length + packed.length;
  }
  const listBytes = list.reduce((sum, part) => sum + part.length, 0);
  const end = endRecords(narrow ? entries.length & 0xffff : entries.length, listBytes, offset);
  return Buffer.concat([...parts, ...list, end]);
}

function changedRecord(record: Buffer, { method, madeBy, flags, extra }: Crafted): Buffer {
  if (madeBy !== undefined) record.writeUInt16LE((madeBy << 8) | 20, 4);
  if (flags !== undefined) record.writeUInt16LE(flags, 8);
  if (method !== undefined) record.writeUInt16LE(method, 10);
  if (extra === undefined) return record;
  const changed = Buffer.concat([record.subarray(0, 46 + record.readUInt16LE(28)), extra]);
  changed.writeUInt16LE(extra.length, 30);
  return changed;
}
