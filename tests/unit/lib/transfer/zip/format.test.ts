import { describe, expect, it } from '@jest/globals';
import {
  centralRecord,
  endRecords,
  localHeader,
  MAX_32,
  mtimeOf,
  type Record,
} from '../../../../../lib/transfer/zip/format.ts';

const record: Record = {
  name: Buffer.from('f'),
  isFolder: false,
  mode: 0o100644,
  mtimeNs: 0n,
  deflated: false,
  streamed: false,
  wide: false,
  crc: 0,
  packedBytes: 1,
  bytes: 1,
};
const DAY_NS = 24n * 3600n * 10n ** 9n;

/** The extra fields of a record in the list: id and data. */
function extras(central: Buffer): { id: number; data: Buffer }[] {
  const found: { id: number; data: Buffer }[] = [];
  for (let at = 46 + central.readUInt16LE(28); at < central.length; ) {
    const size = central.readUInt16LE(at + 2);
    found.push({
      id: central.readUInt16LE(at),
      data: central.subarray(at + 4, at + 4 + size),
    });
    at += 4 + size;
  }
  return found;
}

const NEVER = { dosTime: 0, dosDate: 0 };

describe('records of an archive', () => {
  it('have wide fields where a length or place does not fit into 32 bits', () => {
    const sizes = { bytes: MAX_32, packedBytes: 5 };
    const [wide] = extras(centralRecord({ ...record, ...sizes }, 7));
    expect(wide?.id).toBe(1);
    expect([0, 8, 16].map((at) => wide?.data.readBigUInt64LE(at))).toEqual([
      BigInt(MAX_32),
      5n,
      7n,
    ]);
    expect(extras(centralRecord(record, MAX_32))[0]?.id).toBe(1);
    expect(extras(centralRecord(record, MAX_32 - 1)).map(({ id }) => id)).not.toContain(1);
  });

  it.each([
    [0xfffe, 1, 1, 22],
    [0xffff, 1, 1, 98],
    [1, MAX_32, 1, 98],
    [1, 1, MAX_32, 98],
  ])(
    'end with wide ones where %d entries in %d bytes from %d on need them',
    (count, bytes, from, length) => {
      expect(endRecords(count, bytes, from)).toHaveLength(length);
    },
  );

  it.each([
    ['before 1901', -30_000n * DAY_NS],
    ['1969', -100n * DAY_NS],
    ['now', 20_000n * DAY_NS],
    ['after 2038', 30_000n * DAY_NS],
    ['after 2107', 60_000n * DAY_NS],
  ])('keep a time %s', (_when, mtimeNs) => {
    const fields = extras(centralRecord({ ...record, mtimeNs }, 0));
    expect(mtimeOf({ ...NEVER, extras: fields })).toBe(mtimeNs);
    // Whole seconds for programs that know no others, where they fit.
    const unix = fields.filter(({ id }) => id === 0x5455);
    const fits = mtimeNs > -25_000n * DAY_NS && mtimeNs < 24_000n * DAY_NS;
    expect(unix.map((field) => mtimeOf({ ...NEVER, extras: [field] }))).toEqual(
      fits ? [mtimeNs] : [],
    );
  });

  it('are read with the time of PKWARE for Unix, and not with an NTFS time of 0', () => {
    const pkware = Buffer.alloc(12);
    pkware.writeInt32LE(1e9, 4);
    const ntfs = Buffer.alloc(32);
    ntfs.writeUInt16LE(1, 4);
    ntfs.writeUInt16LE(24, 6);
    const extras = [
      { id: 0x000a, data: ntfs },
      { id: 0x000d, data: pkware },
    ];
    expect(mtimeOf({ ...NEVER, extras })).toBe(BigInt(1e18));
  });

  it('have a DOS time that is read as local time, with a day and month 0 as the first', () => {
    const at = new Date(2020, 5, 7, 8, 9, 10);
    const head = localHeader({ ...record, mtimeNs: BigInt(at.getTime()) * 1_000_000n });
    const read = (dosDate: number, dosTime: number) =>
      new Date(Number(mtimeOf({ dosDate, dosTime, extras: [] }) / 1_000_000n));
    expect(read(head.readUInt16LE(12), head.readUInt16LE(10))).toEqual(at);
    expect(read(0, 0)).toEqual(new Date(1980, 0, 1));
  });

  it.each([
    ['1970', 0n, 0x21, 0],
    ['2200', 84_000n * DAY_NS, 0xff9f, 0xbf7d],
  ])('have the nearest DOS time for %s', (_when, mtimeNs, date, time) => {
    const head = localHeader({ ...record, mtimeNs });
    expect([head.readUInt16LE(12), head.readUInt16LE(10)]).toEqual([date, time]);
  });
});
