import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Opened, transferMessage, treeOf } from '../helpers/transfer.ts';

const opened = new Opened();
const transfer = opened.transfer.bind(opened);
afterEach(() => opened.close());

/** A folder with everything that is easily lost on the way. */
function makeTree(folder: string): string {
  const root = join(folder, 'src');
  mkdirSync(join(root, 'empty/inner'), { recursive: true });
  mkdirSync(join(root, 'sub é/日本'), { recursive: true });
  writeFileSync(join(root, 'a.txt'), 'AAA\n');
  writeFileSync(join(root, 'nothing'), '');
  writeFileSync(join(root, 'sub é/日本/back\\slash "q\' \n$x'), 'odd');
  writeFileSync(join(root, 'random.bin'), randomBytes(3_000_000));
  writeFileSync(join(root, 'text.txt'), 'all work and no play\n'.repeat(200_000));
  writeFileSync(join(root, 'script.sh'), '#!/bin/sh\n');
  chmodSync(join(root, 'script.sh'), 0o751);
  chmodSync(join(root, 'a.txt'), 0o400);
  symlinkSync('../a.txt', join(root, 'empty/up'));
  symlinkSync('sub é', join(root, 'tofolder'));
  symlinkSync('not there', join(root, 'dangling'));
  utimesSync(join(root, 'a.txt'), 981_173_106.123456, 981_173_106.123456);
  chmodSync(join(root, 'empty/inner'), 0o555);
  utimesSync(join(root, 'empty'), 1_000_000_000, 1_000_000_000.5);
  return root;
}

describe('purl and pfioh', () => {
  it.each(['none', 'base64', ''])(
    'bring a folder there and back as it was (encoding %j)',
    async (encoding) => {
      const folder = opened.folder();
      const source = makeTree(folder);
      const store = join(folder, 'store');
      const back = join(folder, 'back');
      mkdirSync(store);
      mkdirSync(back);
      const { address } = await opened.pfioh(['--storeBase', store]);
      const pushed = await transfer(address, 'pushPath', {
        local: source,
        remote: store,
        encoding,
      });
      expect(pushed.code).toBe(0);
      expect(treeOf(join(store, 'src'))).toEqual(treeOf(source));
      const pulled = await transfer(address, 'pullPath', {
        local: back,
        remote: join(store, 'src'),
        encoding,
      });
      expect(pulled.code).toBe(0);
      expect(treeOf(join(back, 'src'))).toEqual(treeOf(source));
      expect(readdirSync(store)).toEqual(['src']);
      expect(readdirSync(back)).toEqual(['src']);
    },
  );

  it.each(['none', 'base64'])(
    'bring a single file there and back as it is (%s)',
    async (encoding) => {
      const folder = opened.folder();
      const file = join(makeTree(folder), 'random.bin');
      chmodSync(file, 0o640);
      const store = join(folder, 'store');
      mkdirSync(join(store, 'in'), { recursive: true });
      const { address } = await opened.pfioh(['--storeBase', store]);
      const form = { archive: 'none', encoding };
      expect(
        (await transfer(address, 'pushPath', { local: file, remote: 'in', ...form })).code,
      ).toBe(0);
      expect(treeOf(join(store, 'in'))['random.bin']).toBe(
        treeOf(join(folder, 'src'))['random.bin'],
      );
      const back = join(folder, 'back');
      const meta = { local: { path: back, createDir: true } };
      const pulled = await transfer(address, 'pullPath', {
        local: back,
        remote: 'in/random.bin',
        ...form,
        extra: meta,
      });
      expect(pulled.code).toBe(0);
      expect(treeOf(back)['random.bin']).toBe(treeOf(join(folder, 'src'))['random.bin']);
    },
  );

  it.each(['none', 'base64'])(
    'bring the content of a folder to a key and back (%s)',
    async (encoding) => {
      const folder = opened.folder();
      const source = makeTree(folder);
      const store = join(folder, 'store');
      const back = join(folder, 'back');
      mkdirSync(store);
      mkdirSync(back);
      const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
      const remote = { key: 'jid-1' };
      const there = { local: source, remote, encoding };
      expect((await transfer(address, 'pushPath', there)).code).toBe(0);
      expect(treeOf(join(store, 'key-jid-1'))).toMatchObject(withoutRoot(treeOf(source)));
      expect((await transfer(address, 'pullPath', { local: back, remote, encoding })).stderr).toBe(
        '',
      );
      expect(treeOf(back)).toMatchObject(withoutRoot(treeOf(source)));
    },
  );

  it('fill a folder that exists and replace the files in it', async () => {
    const folder = opened.folder();
    const source = join(folder, 'src');
    const store = join(folder, 'store');
    mkdirSync(join(source, 'sub'), { recursive: true });
    mkdirSync(join(store, 'src/sub'), { recursive: true });
    writeFileSync(join(source, 'sub/new'), 'new');
    writeFileSync(join(source, 'same'), 'after');
    writeFileSync(join(store, 'src/same'), 'before');
    writeFileSync(join(store, 'src/sub/old'), 'old');
    const { address } = await opened.pfioh(['--storeBase', store]);
    expect((await transfer(address, 'pushPath', { local: source, remote: store })).code).toBe(0);
    expect(readFileSync(join(store, 'src/same'), 'utf8')).toBe('after');
    expect(readdirSync(join(store, 'src/sub')).sort()).toEqual(['new', 'old']);
  });

  it('refuse a link that leads out of the folder and change nothing', async () => {
    const folder = opened.folder();
    const source = join(folder, 'src');
    const store = join(folder, 'store');
    mkdirSync(source);
    mkdirSync(store);
    symlinkSync('../../etc/passwd', join(source, 'out'));
    const { address } = await opened.pfioh(['--storeBase', store]);
    const { code, report } = await transfer(address, 'pushPath', { local: source, remote: store });
    expect(code).not.toBe(0);
    expect(report).toMatchObject({ status: false, msg: expect.stringContaining('outside') });
    expect(readdirSync(store)).toEqual([]);
  });

  it('let a plain HTTP client go on where it stopped', async () => {
    const folder = opened.folder();
    writeFileSync(join(folder, 'f'), '0123456789');
    const { address } = await opened.pfioh(['--storeBase', folder]);
    const compress = { encoding: 'none', archive: 'none' };
    const meta = JSON.stringify({ remote: { path: 'f' }, transport: { compress } });
    const get = (headers: Record<string, string>) =>
      fetch(`http://${address}/?${new URLSearchParams({ meta })}`, { headers });
    const rest = await get({ Range: 'bytes=6-' });
    expect([rest.status, rest.headers.get('content-range'), await rest.text()]).toEqual([
      206,
      'bytes 6-9/10',
      '6789',
    ]);
    const changed = await get({ Range: 'bytes=6-', 'If-Range': '"of another file"' });
    expect([changed.status, await changed.text()]).toEqual([200, '0123456789']);
    const behind = await get({ Range: 'bytes=10-' });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  });

  it.each(['none', 'base64'])(
    'tell how much of a folder is left to push (%s)',
    async (encoding) => {
      const folder = opened.folder();
      const source = makeTree(folder);
      const store = join(folder, 'store');
      mkdirSync(store);
      const { address } = await opened.pfioh(['--storeBase', store]);
      const options = { local: source, remote: '.', encoding };
      const { stderr } = await transfer(address, 'pushPath', options, ['--json']);
      const sizes = [
        'a.txt',
        'random.bin',
        'text.txt',
        'script.sh',
        'sub é/日本/back\\slash "q\' \n$x',
      ];
      const total = sizes.reduce((sum, name) => sum + readFileSync(join(source, name)).length, 0);
      const last = stderr.trim().split('\n').at(-1) ?? '';
      expect(JSON.parse(last)).toMatchObject({
        progress: { bytes: total, total, secondsLeft: 0, done: true },
      });
    },
  );

  it('link or copy on the server when both share a file system', async () => {
    const folder = opened.folder();
    const source = makeTree(folder);
    const store = join(folder, 'store');
    mkdirSync(store);
    const { address } = await opened.pfioh();
    const extra = { transport: { mechanism: 'copy', copy: { symlink: false } } };
    expect(
      (await transfer(address, 'pushPath', { local: source, remote: store, extra })).code,
    ).toBe(0);
    expect(Object.keys(treeOf(join(store, 'src')))).toEqual(Object.keys(treeOf(source)));
    const again = await transfer(address, 'pushPath', { local: source, remote: store, extra });
    expect(again.report).toMatchObject({
      status: false,
      msg: expect.stringContaining('File exists'),
    });
  });

  it('push the folder that purl is started in', async () => {
    const folder = opened.folder();
    const source = join(folder, 'src');
    const store = join(folder, 'store');
    mkdirSync(source);
    mkdirSync(store);
    writeFileSync(join(source, 'f'), 'x');
    const { address } = await opened.pfioh(['--storeBase', store]);
    for (const [local, cwd] of [
      ['.', source],
      ['..', join(source, 'sub')],
    ] as const) {
      mkdirSync(cwd, { recursive: true });
      const msg = transferMessage('pushPath', { local, remote: '.' });
      const { stderr } = await opened.purl(['--quiet', '--http', address, '--msg', msg], { cwd });
      expect(stderr).toBe('');
      expect(treeOf(join(store, 'src'))).toEqual(treeOf(source));
    }
  });

  it('end the server with --oneShot', async () => {
    const folder = opened.folder();
    writeFileSync(join(folder, 'one'), '1');
    mkdirSync(join(folder, 'store'));
    const server = await opened.pfioh(['--storeBase', join(folder, 'store')]);
    const options = { local: join(folder, 'one'), remote: '.', archive: 'none' };
    expect((await transfer(server.address, 'pushPath', options, ['--oneShot'])).code).toBe(0);
    expect((await server.ended).code).toBe(0);
    expect(existsSync(join(folder, 'store/one'))).toBe(true);
  });
});

function withoutRoot(tree: Record<string, string>): Record<string, string> {
  const { '': _, ...rest } = tree;
  return rest;
}
