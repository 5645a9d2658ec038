import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { unpack } from '../../../../lib/transfer/unpack.ts';
import { DEFAULT_LIMITS } from '../../../../lib/transfer/unpackLimits.ts';
import { type Crafted, craftArchive } from '../../../helpers/archive.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let folder = '';
beforeEach(() => {
  folder = tempDir();
});

async function unpackInto(entries: readonly Crafted[], followLinks = false, rooted = false) {
  const archive = craftArchive(entries);
  const path = join(tempDir(), 'a.zip');
  writeFileSync(path, archive);
  const fd = openSync(path, 'r');
  try {
    const options = { limits: DEFAULT_LIMITS, followLinks, rooted };
    return await unpack(fd, archive.length, folder, options);
  } finally {
    closeSync(fd);
  }
}

describe('unpack', () => {
  it('takes modes, but no bits that would run a file as its owner', async () => {
    const large = 'x'.repeat(200_000);
    await unpackInto([
      { name: 'd/', content: '', mode: 0o046751 },
      { name: 'd/small', mode: 0o106755 },
      { name: 'd/large', content: large, mode: 0o106700 },
    ]);
    const modes = ['d', 'd/small', 'd/large'].map(
      (name) => statSync(join(folder, name)).mode & 0o7777,
    );
    expect(modes).toEqual([0o751, 0o755, 0o700]);
    expect(readFileSync(join(folder, 'd/large'), 'utf8')).toBe(large);
  });

  it.each<[string, Crafted[], RegExp]>([
    ['a name twice', [{ name: 'a' }, { name: 'a' }], /is in it twice/],
    ['something below a file', [{ name: 'a' }, { name: 'a/b/c' }], /lies below a file/],
    [
      'what lies below our own names',
      [{ name: `.pfioh-${'a'.repeat(32)}.part/d/f` }],
      /is reserved/,
    ],
    ['a path that no file system has', [{ name: `${'d/'.repeat(2999)}d` }], /4096 bytes or more/],
    [
      'a path that is too long where it goes',
      [{ name: `${'d/'.repeat(2046)}d` }],
      /4096 bytes or more/,
    ],
    ['our own names', [{ name: `d/.pfioh-${'a'.repeat(32)}.part` }], /is reserved/],
    ['names that could be our own', [{ name: 'd/.pfioh-x.tmp/evil' }], /is reserved/],
    ['a long link', [{ name: 'l', content: 'x/'.repeat(3000), mode: 0o120777 }], /too long/],
    ['a link that leads outside', [{ name: 'l', content: '../x', mode: 0o120777 }], /outside/],
  ])('refuses %s and changes nothing', async (_what, entries, why) => {
    await expect(unpackInto([{ name: 'first' }, ...entries])).rejects.toThrow(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps links with `..` that stay inside; in a store none goes up from what may become a link', async () => {
    const link = (name: string, content: string) => ({ name, content, mode: 0o120777 });
    const entries = [
      { name: 'sub/f' },
      link('l', 'sub/../sub/f'),
      link('sub/up', '../sub/f'),
      link('to', 'sub'),
      link('via', 'to/../sub/f'),
    ];
    const targets = () => ['l', 'sub/up', 'via'].map((name) => readlinkSync(join(folder, name)));
    await unpackInto(entries, true);
    expect(targets()).toEqual(['sub/../sub/f', '../sub/f', 'to/../sub/f']);
    await unpackInto(entries);
    expect(targets()).toEqual(['sub/f', '../sub/f', 'sub/f']);
    for (const target of ['sub/../..', 'to/../../x', 'elsewhere/../x'])
      await expect(unpackInto([...entries, link('bad', target)])).rejects.toThrow('outside');
  });

  const linkTo = (name: string, content: string) => ({ name, content, mode: 0o120777 });

  it('takes links from one entry at the top of an archive to another, where there is no folder around them', async () => {
    const entries = [{ name: 'a.txt' }, linkTo('sub/up', '../a.txt'), linkTo('ln', 'sub/up')];
    await unpackInto(entries, false, true);
    expect(['sub/up', 'ln'].map((name) => readlinkSync(join(folder, name)))).toEqual([
      '../a.txt',
      'sub/up',
    ]);
  });

  it.each([
    ['out of everything', linkTo('sub/bad', '../../a.txt')],
    ['out of everything, from the top', linkTo('bad', '../a.txt')],
    ['out through a folder', linkTo('sub/bad', '../sub/../../a.txt')],
    ['out through a link', linkTo('sub/bad', 'up/../../x')],
    ['out through a link to the top', linkTo('sub/bad', 'top/../x')],
    ['to an absolute place', linkTo('sub/bad', '/etc/passwd')],
    ['up behind what is not there', linkTo('sub/bad', 'none/../../a.txt')],
  ])('refuses a link that leads %s, also with several entries at the top', async (_, bad) => {
    const entries = [{ name: 'a.txt' }, linkTo('sub/up', '../a.txt'), linkTo('sub/top', '..'), bad];
    await expect(unpackInto(entries, false, true)).rejects.toThrow('outside');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a link out of the one folder of an archive', async () => {
    const entries = [{ name: 'd/a' }, linkTo('d/bad', '../other')];
    await expect(unpackInto(entries, false, true)).rejects.toThrow('outside');
    await expect(unpackInto([linkTo('bad', '../x')], false, true)).rejects.toThrow('outside');
  });

  it('takes what zip has read from a pipe for a file, and no other pipe, device or socket', async () => {
    await unpackInto([{ name: '-', content: 'piped', mode: 0o010600 }]);
    expect(readFileSync(join(folder, '-'), 'utf8')).toBe('piped');
    expect(statSync(join(folder, '-')).isFile()).toBe(true);
    for (const mode of [0o020600, 0o060600, 0o140600]) {
      await expect(unpackInto([{ name: 'x', content: 'x', mode }])).rejects.toThrow('a device');
    }
    await expect(unpackInto([{ name: 'x', content: '', mode: 0o010600 }])).rejects.toThrow('pipe');
  });

  it('fills folders, also by way of a link where that is allowed', async () => {
    const elsewhere = tempDir();
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/old'), '');
    symlinkSync(elsewhere, join(folder, 'l'));
    const entries = [{ name: 'd/new' }, { name: 'l/a' }];
    await expect(unpackInto(entries)).rejects.toMatchObject({ code: 'forbidden' });
    expect(existsSync(join(folder, 'd/new'))).toBe(false);
    expect(await unpackInto(entries, true)).toEqual({ files: 2, bytes: 2 });
    expect(readdirSync(join(folder, 'd'))).toEqual(['new', 'old']);
    expect(readdirSync(elsewhere)).toEqual(['a']);
  });

  it.each([
    ['a file where a folder is', { name: 'd' }, 'is a folder, and a file'],
    ['a folder where a file is', { name: 'f/x' }, 'is a file, and a folder'],
  ])('says that there comes %s', async (_what, entry, why) => {
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'f'), '');
    await expect(unpackInto([{ name: 'a' }, entry])).rejects.toThrow(why);
    expect(readdirSync(folder).sort()).toEqual(['d', 'f']);
  });

  it('removes what an earlier process left, and nothing of one that runs', async () => {
    const uuid = '00000000-0000-4000-8000-000000000000';
    const gone = `.pfioh-${2 ** 22 + 1}-${uuid}.tmp`;
    const running = `.pfioh-${process.ppid}-${uuid}.tmp`;
    mkdirSync(join(folder, gone));
    mkdirSync(join(folder, running));
    await unpackInto([{ name: 'a' }]);
    expect(readdirSync(folder)).toEqual([running, 'a']);
  });
});
