import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { walkTree } from '../../../../../lib/transfer/tree.ts';
import { type ArchiveEntry, ArchiveReader } from '../../../../../lib/transfer/zip/archiveReader.ts';
import { zipStream } from '../../../../../lib/transfer/zip/archiveWriter.ts';
import { type Crafted, craftArchive } from '../../../../helpers/archive.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
});

async function read(archive: Buffer): Promise<{ reader: ArchiveReader; entries: ArchiveEntry[] }> {
  const path = join(tempDir(), 'a.zip');
  writeFileSync(path, archive);
  const fd = openSync(path, 'r');
  open.push(fd);
  const reader = new ArchiveReader(fd, archive.length);
  return { reader, entries: await reader.entries() };
}

async function contentOf(reader: ArchiveReader, entry: ArchiveEntry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of reader.stream(entry)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const LARGE = 'large '.repeat(100_000);

/** Packed by Python's bz2: text, runs, and a block that is longer than others. */
const BZIP2: readonly (readonly [string, string])[] = [
  ['hello hello hello\n', 'QlpoOTFBWSZTWeW18wkAAARRAAAQQAACRKAAIbUYDAKQacKjC7kinChIctr5hIA='],
  ['x'.repeat(1_000_000), 'QlpoOTFBWSZTWZH1XHAAB6iAwIBAAAIACCAAMMwJqmmVJDapSQ8XckU4UJCR9Vxw'],
];

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

describe('an archive that was written', () => {
  it('holds every file, folder and link with content, mode and time', async () => {
    const root = join(tempDir(), 'root');
    mkdirSync(join(root, 'empty'), { recursive: true });
    const files = new Map<string, Buffer>([
      ['nothing', Buffer.alloc(0)],
      ['tiny', Buffer.from('x')],
      ['small', Buffer.from('small '.repeat(1000))],
      ['noise', randomBytes(40_000)],
      ['large', Buffer.from(LARGE)],
      ['large noise', randomBytes(400_000)],
    ]);
    for (const [name, content] of files) writeFileSync(join(root, name), content, { mode: 0o640 });
    utimesSync(join(root, 'tiny'), 1e9, 1e9 + 0.25);
    symlinkSync('tiny', join(root, 'link'));
    const archive = await buffer(zipStream(walkTree(root, { prefix: 'r' })));
    const { reader, entries } = await read(archive);
    const kinds = new Map(entries.map(({ name, kind }) => [name, kind]));
    expect(kinds.get('r/empty')).toBe('folder');
    expect(kinds.get('r/link')).toBe('link');
    expect(kinds.size).toBe(files.size + 3);
    for (const [name, content] of files) {
      const entry = entries.find((one) => one.name === `r/${name}`) as ArchiveEntry;
      expect(entry).toMatchObject({ kind: 'file', mode: 0o640 });
      expect((await contentOf(reader, entry)).equals(content)).toBe(true);
      const small = reader.small(entry);
      expect(small?.equals(content) ?? entry.bytes > 128 * 1024).toBe(true);
    }
    const tiny = entries.find(({ name }) => name === 'r/tiny');
    expect(tiny?.mtimeNs).toBe(1_000_000_000_250_000_000n);
    const shrunk = entries.filter(({ packing }) => packing === 'deflated').map(({ name }) => name);
    expect(shrunk).toEqual(['r/large', 'r/small']);
  });

  it('is the same each time, and counts what it reads', async () => {
    const root = tempDir();
    writeFileSync(join(root, 'a'), 'x'.repeat(100));
    writeFileSync(join(root, 'b'), LARGE);
    const make = async () => {
      let bytes = 0;
      const onRead = (more: number) => {
        bytes += more;
      };
      const archive = await buffer(zipStream(walkTree(root, { prefix: '' }), { onRead }));
      return { archive, bytes };
    };
    const first = await make();
    const second = await make();
    expect(first.archive.equals(second.archive)).toBe(true);
    const all = ['a', 'b'].map((name) => statSync(join(root, name)).size);
    expect(first.bytes).toBe(all.reduce((sum, size) => sum + size));
    expect(readFileSync(join(root, 'a'))).toHaveLength(100);
  });
});

describe('an archive of another program', () => {
  /** An archive with one entry whose record in the list is changed. */
  const changed = async (name: string, change: (record: Buffer, archive: Buffer) => void) => {
    const archive = craftArchive([{ name }]);
    change(archive.subarray(archive.lastIndexOf('PK\x01\x02')), archive);
    return (await read(archive)).entries[0];
  };

  it('has no modes when it was not made on Unix', async () => {
    const entry = await changed('f', (record) => record.writeUInt16LE(20, 4));
    expect(entry).toMatchObject({ kind: 'file', mode: undefined });
  });

  const namesOf = async (archive: Buffer) =>
    (await read(archive)).entries.map(({ name, kind }) => `${kind} ${name}`);

  it('may have names in the code page of DOS, and part them as DOS does', async () => {
    const dos = { madeBy: 0, flags: 0 };
    const upper = Buffer.from([0x81, 0x84, 0x94, 0xe1, 0x2e, 0x74]);
    const entries = [
      { name: upper, ...dos },
      { name: 'a\\b', ...dos },
      { name: 'd\\', content: '', ...dos },
      { name: 'back\\slash', madeBy: 3, flags: 0 },
      { name: 'ü', ...dos },
    ];
    expect(await namesOf(craftArchive(entries))).toEqual([
      'file üäöß.t',
      'file a/b',
      'folder d',
      'file back\\slash',
      'file ü',
    ]);
  });

  it('may say the name in UTF-8 in a field beside it, which counts when it is about that name', async () => {
    const field = (about: string) =>
      Buffer.concat([
        Buffer.from([0x75, 0x70, 5 + 2, 0, 1]),
        uint32(crc32(Buffer.from(about))),
        Buffer.from('ж'),
      ]);
    const entry = (about: string) => ({ name: 'name', flags: 0, extra: field(about) });
    expect(await namesOf(craftArchive([entry('name')]))).toEqual(['file ж']);
    expect(await namesOf(craftArchive([entry('other')]))).toEqual(['file name']);
    expect(await namesOf(craftArchive([{ ...entry('name'), flags: 1 << 11 }]))).toEqual([
      'file name',
    ]);
  });

  it('may have names with parts that change nothing', async () => {
    const names = ['./', '.', './a', 'sub/./b', 'sub//c', 'd//', './e/'];
    expect(await namesOf(craftArchive(names.map((name) => ({ name }))))).toEqual([
      'file a',
      'file sub/b',
      'file sub/c',
      'folder d',
      'folder e',
    ]);
  });

  const plain = craftArchive([{ name: 'a' }, { name: 'b' }]);
  it.each([
    ['a comment behind it', [plain, Buffer.from('c')]],
    ['padding behind it', [plain, Buffer.alloc(300_000)]],
    ['a report behind it', [plain, Buffer.from('{"status": true}')]],
    ['a program before it', [Buffer.from('MZ'.repeat(50_000)), plain]],
    ['bytes before and behind it', [Buffer.alloc(7), plain, Buffer.alloc(9)]],
  ])('may have %s', async (_what, parts) => {
    const { reader, entries } = await read(Buffer.concat(parts));
    expect(entries.map((entry) => String(reader.small(entry)))).toEqual(['x', 'x']);
  });

  it('may have a program before it that its offsets count', async () => {
    const archive = craftArchive([{ name: 'a' }], { before: Buffer.from('#!/bin/sh\n') });
    const { reader, entries } = await read(archive);
    expect(entries.map((entry) => String(reader.small(entry)))).toEqual(['x']);
  });

  it('may have more entries than 16 bits can count', async () => {
    const names = Array.from({ length: 70_000 }, (_, i) => ({ name: `f${i}`, stored: true }));
    const archive = craftArchive(names, { narrow: true });
    expect(archive.readUInt16LE(archive.length - 12)).toBe(70_000 - 65_536);
    expect((await read(archive)).entries).toHaveLength(70_000);
    archive.writeUInt16LE(3, archive.length - 12);
    await expect(read(archive)).rejects.toThrow('it has 70000 entries, and its end says 3');
  });

  it('may be packed by bzip2', async () => {
    for (const [content, packed] of BZIP2) {
      const record = { name: 'f', content, packed: Buffer.from(packed, 'base64'), method: 12 };
      const { reader, entries } = await read(craftArchive([record]));
      const entry = entries[0] as ArchiveEntry;
      expect((await contentOf(reader, entry)).equals(Buffer.from(content))).toBe(true);
      if (entry.bytes < 100_000) expect(String(reader.small(entry))).toBe(content);
      const cut = { ...record, packed: record.packed.subarray(0, 30), stored: true };
      const broken = await read(craftArchive([cut]));
      await expect(contentOf(broken.reader, broken.entries[0] as ArchiveEntry)).rejects.toThrow(
        'is damaged at "f"',
      );
    }
  });

  it.each([
    [
      'an old field of Info-ZIP',
      0x5855,
      [
        [1, 0x7fffffff],
        [-1000, -1_000_000_000],
      ] as const,
    ],
  ])('may say its times in %s', async (_what, id, times) => {
    for (const [accessed, seconds] of times) {
      const extra = Buffer.alloc(12);
      extra.writeUInt16LE(id, 0);
      extra.writeUInt16LE(8, 2);
      extra.writeInt32LE(accessed, 4);
      extra.writeInt32LE(seconds, 8);
      const { entries } = await read(craftArchive([{ name: 'f', extra }]));
      expect(entries[0]?.mtimeNs).toBe(BigInt(seconds) * 1_000_000_000n);
    }
  });
});

describe('an archive that lies', () => {
  const both = ['small', LARGE].flatMap((content) =>
    [false, true].map((stored) => ({ name: 'f', content, stored })),
  );
  const refused = async (crafted: Crafted): Promise<string> => {
    const { reader, entries } = await read(craftArchive([crafted]));
    const [entry] = entries;
    if (entry === undefined) return 'no entry';
    try {
      if (entry.bytes > 128 * 1024 || entry.packedBytes > 128 * 1024) {
        await contentOf(reader, entry);
      } else reader.small(entry);
      return 'taken';
    } catch (error) {
      return String(error);
    }
  };

  it.each(both)(
    'about the checksum of $content.length bytes is refused (stored: $stored)',
    async (crafted) => {
      expect(await refused(crafted)).toBe('taken');
      expect(await refused({ ...crafted, crc: 1 })).toContain('wrong checksum');
    },
  );

  it.each(both.filter(({ stored }) => !stored))(
    'about a length of $content.length bytes is refused',
    async (crafted) => {
      const { length } = crafted.content;
      expect(await refused({ ...crafted, claims: length - 1 })).toContain('is damaged at "f"');
      expect(await refused({ ...crafted, claims: length + 1 })).toContain('is damaged at "f"');
    },
  );

  it('about where its data is, is refused', async () => {
    const archive = craftArchive([{ name: 'f' }]);
    archive.writeUInt32LE(0, 0);
    const { reader, entries } = await read(archive);
    expect(() => reader.small(entries[0] as ArchiveEntry)).toThrow('not where the list says');
  });

  it('is refused when data ends behind its file', async () => {
    const archive = craftArchive([{ name: 'f', stored: true }]);
    // The length of the local header's extra field.
    archive.writeUInt16LE(60_000, 28);
    const { reader, entries } = await read(archive);
    expect(() => reader.small(entries[0] as ArchiveEntry)).toThrow('ends behind the archive');
  });

  it('about a length is not unpacked to more than it says', async () => {
    for (const content of ['x'.repeat(100_000), LARGE]) {
      const { reader, entries } = await read(craftArchive([{ name: 'f', content, claims: 10 }]));
      const entry = entries[0] as ArchiveEntry;
      expect(() => reader.small(entry)).toThrow('Cannot create a Buffer larger than 10 bytes');
      let seen = 0;
      const all = async () => {
        for await (const chunk of reader.stream(entry)) seen += chunk.length;
      };
      await expect(all()).rejects.toThrow('it is longer than it says');
      expect(seen).toBe(0);
    }
  });

  it.each<[string, number, number, string]>([
    ['encrypted', 8, 1, 'it is encrypted (ZipCrypto)'],
    ['encrypted by AES', 10, 99, 'it is encrypted (AES)'],
    ['packed by a method that nobody knows', 10, 77, 'its compression method 77 is not read here'],
    ['deflated by another method', 10, 9, 'its compression method 9, Deflate64, is not read here'],
  ])('is refused when an entry is %s', async (_how, at, value, why) => {
    const archive = craftArchive([{ name: 'f' }]);
    archive.writeUInt16LE(value, archive.lastIndexOf('PK\x01\x02') + at);
    await expect(read(archive)).rejects.toThrow(why);
  });

  it.each<[string, { readonly mode: number; readonly content?: string }]>([
    ['a device', { mode: 0o060644 }],
    ['an empty pipe', { mode: 0o010644, content: '' }],
  ])('that %s is a file is refused', async (_what, entry) => {
    await expect(read(craftArchive([{ name: 'f', ...entry }]))).rejects.toThrow('device, pipe or');
  });

  it.each(['../f', '/f', 'a/..', 'a/../../b'])('about a name, %s, is refused', async (name) => {
    await expect(read(craftArchive([{ name }]))).rejects.toThrow('leaves its folder');
  });

  it.each([
    ['a NUL', 'a\0b', 'has a NUL character'],
    ['more bytes than a name can have', `d/${'ü'.repeat(128)}`, 'a name of more than 255 bytes'],
    ['nothing but what is left out', '', 'it has no name'],
  ])('in a name that has %s is refused', async (_what, name, why) => {
    await expect(read(craftArchive([{ name }]))).rejects.toThrow(why);
  });

  it('that it is one is refused', async () => {
    await expect(read(Buffer.from('no archive at all, but long enough'))).rejects.toThrow(
      'not a zip archive',
    );
  });
});
