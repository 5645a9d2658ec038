import { crc32, deflateRawSync } from 'node:zlib';
import {
  centralRecord,
  endRecords,
  localHeader,
  type Record,
} from '../../lib/transfer/zip/format.ts';

export interface Crafted {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
  /** What the records say the content's length is, when that is a lie. */
  readonly claims?: number;
  /** What the records say the content's checksum is, when that is a lie. */
  readonly crc?: number;
  /** Store the content as it is. */
  readonly stored?: boolean;
}

/** An archive with any names, modes and lengths, as an attacker would make it. */
export function craftArchive(entries: readonly Crafted[]): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let offset = 0;
  for (const { name, content = 'x', mode = 0o100644, claims, crc, stored = false } of entries) {
    const bytes = Buffer.from(content);
    const packed = stored ? bytes : deflateRawSync(bytes);
    const record: Record = {
      name: Buffer.from(name),
      isFolder: name.endsWith('/'),
      mode,
      mtimeNs: 1_700_000_000_000_000_000n,
      deflated: !stored,
      streamed: false,
      wide: false,
      crc: crc ?? crc32(bytes),
      packedBytes: packed.length,
      bytes: claims ?? bytes.length,
    };
    list.push(centralRecord(record, offset));
    parts.push(localHeader(record), packed);
    offset = parts.reduce((sum, part) => sum + part.length, 0);
  }
  const listBytes = list.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...parts, ...list, endRecords(entries.length, listBytes, offset)]);
}
