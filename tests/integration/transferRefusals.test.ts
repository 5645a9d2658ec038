import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
const transfer = opened.transfer.bind(opened);
afterEach(() => opened.close());

describe('what cannot be transferred', () => {
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
    expect(onto.stderr).toContain('cannot push to f: it is a file, not a folder');
    const below = await transfer(address, 'pushPath', { local: file, remote: 'f/x', ...form });
    expect(below.stderr).toContain('f/x on ');
    const into = await transfer(address, 'pullPath', { local: file, remote: 'f', ...form });
    expect(into.stderr).toContain(`${file}: It is a file; a pull goes into a folder.`);
    const from = await transfer(address, 'pushPath', { local: `${file}/x`, remote: '.', ...form });
    expect(from.stderr).toContain(`${file}/x: The local path spec is invalid!`);
    expect([onto, below, into, from].map(({ code }) => code)).toEqual([8, 1, 1, 1]);
    expect(readFileSync(file, 'utf8')).toBe('x');
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
      expect(await answer.text()).toMatch(/cannot read d\/secret: EACCES \(no permission\)/);
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
      `purl: ${address} refused the request (401): the token is not known here (--authToken)\n`,
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

  it("makes a key's folder for a check of pfurl, as pfioh 3 does", async () => {
    const { address } = await opened.pfioh([
      '--storeBase',
      opened.folder(),
      '--createDirsAsNeeded',
    ]);
    const meta = JSON.stringify({ remote: { key: 'jid-1' }, transport: { checkRemote: true } });
    const query = new URLSearchParams({ action: 'pullPath', meta });
    expect(await (await fetch(`http://${address}/?${query}`)).json()).toEqual({
      status: true,
      isfile: false,
      isswiftstore: false,
      isdir: false,
      createdNewDir: true,
    });
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
