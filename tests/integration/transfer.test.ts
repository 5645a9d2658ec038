import { execFileSync } from 'node:child_process';
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

async function transfer(
  address: string,
  action: string,
  options: Parameters<typeof transferMessage>[1],
  flags: string[] = [],
) {
  const ended = await opened.purl([
    '--quiet',
    '--fail',
    ...flags,
    '--http',
    address,
    '--msg',
    transferMessage(action, options),
  ]);
  return {
    ...ended,
    report: (JSON.parse(ended.stdout || '{}') as { stdout?: Record<string, unknown> }).stdout ?? {},
  };
}

describe('purl and pfioh', () => {
  it.each(['none', 'base64'])('bring a folder there and back as it was (%s)', async (encoding) => {
    const folder = opened.folder();
    const source = makeTree(folder);
    const store = join(folder, 'store');
    const back = join(folder, 'back');
    mkdirSync(store);
    mkdirSync(back);
    const { address } = await opened.pfioh(['--storeBase', store]);
    const pushed = await transfer(address, 'pushPath', { local: source, remote: store, encoding });
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
  });

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

  it('say what is missing on either side', async () => {
    const folder = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', folder]);
    const noLocal = await transfer(address, 'pushPath', {
      local: join(folder, 'none'),
      remote: folder,
    });
    expect(noLocal.stderr).toContain('The local path spec is invalid!');
    const noRemote = await transfer(address, 'pullPath', {
      local: folder,
      remote: join(folder, 'none'),
    });
    expect(noRemote.stderr).toMatch(/none on .*The remote path spec is invalid!/);
    expect([noLocal.code, noRemote.code]).toEqual([1, 1]);
  });

  it('say what stands in the way', async () => {
    const folder = opened.folder();
    writeFileSync(join(folder, 'f'), 'x');
    const { address } = await opened.pfioh(['--storeBase', folder]);
    const file = join(folder, 'f');
    const form = { archive: 'none' };
    const onto = await transfer(address, 'pushPath', { local: file, remote: 'f', ...form });
    expect(onto.stderr).toContain(`cannot push to ${file}: it is a file, not a folder`);
    const below = await transfer(address, 'pushPath', { local: file, remote: 'f/x', ...form });
    expect(below.stderr).toContain('f/x on ');
    const into = await transfer(address, 'pullPath', { local: file, remote: 'f', ...form });
    expect(into.stderr).toContain(`${file}: It is a file; a pull goes into a folder.`);
    const from = await transfer(address, 'pushPath', { local: `${file}/x`, remote: '.', ...form });
    expect(from.stderr).toContain(`${file}/x: The local path spec is invalid!`);
    expect([onto, below, into, from].map(({ code }) => code)).toEqual([8, 1, 1, 1]);
    expect(readFileSync(file, 'utf8')).toBe('x');
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

  it('say that a file cannot be read, before anything is sent', async () => {
    const folder = opened.folder();
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/secret'), 'x', { mode: 0o000 });
    mkdirSync(join(folder, 'back'));
    const uid = process.getuid?.() === 0 ? { uid: 65534 } : {};
    const { address } = await opened.pfioh(['--storeBase', folder], uid);
    const compress = { encoding: 'none', archive: 'none' };
    for (const path of ['d/secret', 'd']) {
      const meta = JSON.stringify({ remote: { path }, transport: { compress } });
      const answer = await fetch(`http://${address}/?${new URLSearchParams({ meta })}`);
      expect(answer.status).toBe(403);
      expect(await answer.text()).toMatch(/cannot read \S+\/d\/secret: EACCES \(no permission\)/);
    }
    const back = join(folder, 'back');
    const pulled = await transfer(address, 'pullPath', { local: back, remote: 'd' });
    expect(pulled.stderr).toContain('no permission');
    expect(readdirSync(back)).toEqual([]);
  });

  it.each([
    ['a path', 'mistyped'],
    ['a key', { key: 'mistyped' }],
  ])('make nothing on the server when a pull names %s that is not there', async (_name, remote) => {
    const folder = opened.folder();
    const store = join(folder, 'store');
    mkdirSync(store);
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
    const { code, stderr } = await transfer(address, 'pullPath', { local: folder, remote });
    expect(stderr).toContain('The remote path spec is invalid!');
    expect({ code, store: readdirSync(store) }).toEqual({ code: 1, store: [] });
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

  it('need one server without --forever for a transfer and what is asked before it', async () => {
    const folder = opened.folder();
    writeFileSync(join(folder, 'one'), '1');
    const store = join(folder, 'made/store');
    const server = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded'], {
      once: true,
    });
    const missing = { local: folder, remote: 'nothing' };
    expect((await transfer(server.address, 'pullPath', missing)).code).toBe(1);
    const options = { local: join(folder, 'one'), remote: '.', archive: 'none' };
    expect((await transfer(server.address, 'pushPath', options)).stderr).toBe('');
    expect((await server.ended).code).toBe(0);
    expect(readFileSync(join(store, 'one'), 'utf8')).toBe('1');
  });

  it('say that a token is refused, and not that a path is missing', async () => {
    const folder = opened.folder();
    writeFileSync(join(folder, 'tokens'), 'secret\n');
    const auth = ['--enableTokenAuth', '--tokenPath', join(folder, 'tokens')];
    const { address } = await opened.pfioh(['--storeBase', folder, ...auth]);
    const options = { local: folder, remote: 'somewhere' };
    const { code, stderr } = await transfer(address, 'pullPath', options, ['--authToken', 'wrong']);
    expect(stderr).toBe(
      `purl: ${address} refused the request: the token is not known here (--authToken)\n`,
    );
    expect(code).toBe(1);
  });

  it('end with 26 for what cannot be sent', async () => {
    const folder = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', folder]);
    const odd = join(folder, 'odd');
    const piped = join(folder, 'piped');
    mkdirSync(odd);
    mkdirSync(piped);
    writeFileSync(Buffer.concat([Buffer.from(`${odd}/`), Buffer.from([0xff])]), 'x');
    execFileSync('mkfifo', [join(piped, 'fifo')]);
    for (const [local, why] of [
      [odd, 'not UTF-8'],
      [piped, 'neither a file'],
    ] as const) {
      const { code, stderr } = await transfer(address, 'pushPath', { local, remote: '.' });
      expect(stderr).toContain(why);
      expect(code).toBe(26);
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

describe('pfioh', () => {
  it('does not start with a store that is no folder', async () => {
    const folder = opened.folder();
    writeFileSync(join(folder, 'f'), 'x');
    for (const [name, why] of [
      ['f', 'is no folder'],
      ['none', 'is not there'],
    ] as const) {
      const store = join(folder, name);
      const { code, stderr } = await opened.start('pfioh', ['--port', '0', '--storeBase', store])
        .ended;
      expect(stderr).toContain(`pfioh: --storeBase ${store} ${why}`);
      expect(code).toBe(2);
    }
  });

  it('says that a message has no meta', async () => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    const answer = await fetch(`http://${address}/`, {
      method: 'POST',
      body: '{"action":"hello"}',
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { msg: 'hello: meta is missing' },
    ]);
  });

  it('says which member a listing wants', async () => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    const answer = await fetch(`http://${address}/`, {
      method: 'POST',
      body: '{"action":"ls","meta":{}}',
    });
    expect(await answer.json()).toMatchObject({ error: { hint: 'say meta.path or meta.key' } });
  });
});

function withoutRoot(tree: Record<string, string>): Record<string, string> {
  const { '': _, ...rest } = tree;
  return rest;
}
