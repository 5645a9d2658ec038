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
  const reader = await ArchiveReader.open(fd, archive.length);
  return { reader, entries: await reader.entries() };
}

async function contentOf(reader: ArchiveReader, entry: ArchiveEntry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of reader.stream(entry)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const LARGE = 'large '.repeat(100_000);

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
    const shrunk = entries.filter(({ deflated }) => deflated).map(({ name }) => name);
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

  it('may have names that are not UTF-8', async () => {
    const entry = await changed('a~b', (_, archive) => {
      for (let at = archive.indexOf('a~b'); at >= 0; at = archive.indexOf('a~b', at + 1)) {
        archive[at + 1] = 0xe9;
      }
    });
    expect(entry?.name).toBe('aéb');
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
    ['encrypted', 8, 1, 'it is encrypted'],
    ['deflated by another method', 10, 9, 'compression method 9'],
  ])('is refused when an entry is %s', async (_how, at, value, why) => {
    const archive = craftArchive([{ name: 'f' }]);
    archive.writeUInt16LE(value, archive.lastIndexOf('PK\x01\x02') + at);
    await expect(read(archive)).rejects.toThrow(why);
  });

  it.each<[string, number]>([
    ['a device', 0o060644],
    ['a pipe', 0o010644],
  ])('that %s is a file is refused', async (_what, mode) => {
    await expect(read(craftArchive([{ name: 'f', mode }]))).rejects.toThrow('device, pipe or');
  });

  it.each(['../f', '/f', 'a//b', 'a/./b', 'a/..'])('about a name, %s, is refused', async (name) => {
    await expect(read(craftArchive([{ name }]))).rejects.toThrow('leaves its folder');
  });

  it('that it is one is refused', async () => {
    await expect(read(Buffer.from('no archive at all, but long enough'))).rejects.toThrow(
      'not a zip archive',
    );
  });
});
