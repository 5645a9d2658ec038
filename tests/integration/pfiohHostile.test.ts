import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CHECK_HEADER, checkText } from '../../lib/transfer/contentCheck.ts';
import { craftArchive } from '../helpers/archive.ts';
import { request, Wire } from '../helpers/http.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

async function start() {
  const outer = opened.folder();
  const store = join(outer, 'store');
  mkdirSync(store);
  const server = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
  const get = async (action: string, meta: object) => {
    const query = new URLSearchParams({ action, meta: JSON.stringify(meta) });
    const answer = await fetch(`http://${server.address}/?${query}`, {
      signal: AbortSignal.timeout(10_000),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const pushPlugin = async (key: string) => {
    const body = new FormData();
    const transport = { compress: { archive: 'zip', unpack: true } };
    const special = { specialHandling: { op: 'plugin' }, local: { path: 'x.zip' } };
    const meta = { remote: { key }, transport, ...special };
    body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
    body.set('filename', 'x.zip');
    body.set('local', new Blob([craftArchive([{ name: 'a.txt' }])]), 'x.zip');
    const headers = { Mode: 'file' };
    const answer = await fetch(`http://${server.address}/`, { method: 'POST', body, headers });
    return { status: answer.status, text: await answer.text() };
  };
  return { ...server, outer, store, get, pushPlugin };
}

/** Sends a form as far as it goes, and resolves when the server has closed the connection. */
function sendRaw(address: string, form: string): Promise<void> {
  const url = new URL(`http://${address}`);
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => {
      socket.end(`${head}Content-Length: ${form.length}\r\n\r\n${form}`);
    });
    socket.once('error', reject);
    socket.resume().once('close', () => resolve());
  });
}

const part = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}`;

describe('pfioh', () => {
  it.each([
    ['in a second part of that name', [part('local', 'A'), part('local', 'B')]],
    ['in the content', [part('d_msg', '{}'), part('encoding', 'base64'), part('local', 'QUJD')]],
    [
      'in content that nobody wants',
      [part('d_msg', 'no JSON'), part('encoding', 'none'), part('local', 'A')],
    ],
    ['in a field', [part('d_msg', '{"action"')]],
  ])('lives on when a form is cut off %s', async (_where, parts) => {
    const { address, get, child } = await start();
    await sendRaw(address, parts.join('\r\n'));
    expect((await get('pullPath', { remote: { path: '.' } })).status).toBe(200);
    expect(child.exitCode).toBeNull();
  });

  it.each([
    ['two files', (d: string) => [part('d_msg', d), part('local', 'A'), part('local', 'B')]],
    ['two messages', (d: string) => [part('d_msg', '{}'), part('d_msg', d), part('local', 'A')]],
    [
      'a second message behind',
      (d: string) => [part('d_msg', d), part('local', 'A'), part('d_msg', d)],
    ],
    [
      'a file in base64',
      (d: string) => [
        part('d_msg', d),
        part('local', 'QQ==').replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n'),
      ],
    ],
    [
      'several files in one part',
      (d: string) => [
        part('d_msg', d),
        part('local', 'A').replace(
          '\r\n\r\n',
          '\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n',
        ),
      ],
    ],
  ])(
    'stores nothing of a form with %s, of which it would store something else',
    async (_, parts) => {
      const { address, store } = await start();
      const compress = { encoding: 'none', archive: 'none' };
      const meta = { local: { path: 'a' }, remote: { path: 'c/a' }, transport: { compress } };
      const form = parts(JSON.stringify({ action: 'pushPath', meta }));
      const answer = await fetch(`http://${address}/`, {
        method: 'POST',
        body: [...form, '--b--\r\n'].join('\r\n'),
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      });
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(/form/)]);
      const left = readdirSync(store, { recursive: true, withFileTypes: true });
      expect(left.filter((one) => one.isFile())).toEqual([]);
    },
  );

  it('lives on when content that it had to keep is refused', async () => {
    const { address, get, child } = await start();
    const meta = { local: { path: 'a' }, remote: { path: '.' } };
    const form = [
      part('d_msg', JSON.stringify({ action: 'pushPath', meta })),
      part('local', 'A'), // before it is said how it is encoded
      part('encoding', 'rot13'),
      '--b--\r\n',
    ];
    await sendRaw(address, form.join('\r\n'));
    expect((await get('pullPath', { remote: { path: '.' } })).status).toBe(200);
    expect(child.exitCode).toBeNull();
  });

  it('keeps no more of unfinished forms than 16 MiB in all, and takes a small one meanwhile', async () => {
    const { address, pushPlugin, store } = await start();
    mkdirSync(join(store, 'key-k'));
    const port = Number(new URL(`http://${address}`).port);
    const large = Buffer.from(part('large', 'x'.repeat(3_900_000)));
    const head =
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n';
    const wires = await Promise.all(Array.from({ length: 6 }, () => Wire.open(port)));
    await Promise.all(wires.map((wire) => wire.send(Buffer.concat([Buffer.from(head), large]))));
    const refused = await Promise.race(wires.map((wire) => wire.answer()));
    expect([refused?.status, refused?.json()]).toMatchObject([503, { error: { code: 'busy' } }]);
    expect((await pushPlugin('k')).status).toBe(200);
    for (const wire of wires) wire.destroy();
  });

  it('sends files and archives to clients of HTTP/1.0, which know no trailers', async () => {
    const { address, store } = await start();
    writeFileSync(join(store, 'a.txt'), 'content of a');
    const { port } = new URL(`http://${address}`);
    for (const [archive, start] of [
      ['none', 'content of a'],
      ['zip', 'PK'],
    ] as const) {
      const meta = {
        remote: { path: 'a.txt' },
        transport: { compress: { archive, encoding: '' } },
      };
      const target = `/?${new URLSearchParams({ meta: JSON.stringify(meta) })}`;
      const wire = await Wire.open(Number(port));
      await wire.send(`GET ${target} HTTP/1.0\r\nHost: x\r\n\r\n`);
      const answer = await wire.answer();
      wire.destroy();
      expect([answer?.status, answer?.text.slice(0, start.length)]).toEqual([200, start]);
    }
  });

  it('says what is wrong with bytes that are no request, also behind a request', async () => {
    const { address } = await start();
    const wire = await Wire.open(Number(new URL(`http://${address}`).port));
    await wire.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await wire.answer({ toHead: true }))?.status).toBe(400);
    await wire.send('nonsense\r\n\r\n');
    const answer = await wire.answer();
    expect([answer?.status, answer?.json()]).toMatchObject([400, { status: false }]);
    expect(await wire.settled(10_000)).toBe('closed');
    wire.destroy();
  });

  it('refuses a request with two hosts: which of them was meant?', async () => {
    const { address } = await start();
    const wire = await Wire.open(Number(new URL(`http://${address}`).port));
    await wire.send('GET /?meta={} HTTP/1.1\r\nHost: x\r\nHost: evil.example\r\n\r\n');
    const answer = await wire.answer();
    expect([answer?.status, answer?.text]).toEqual([
      400,
      expect.stringContaining('more than one header Host'),
    ]);
    wire.destroy();
  });

  it('does nothing of what follows a request that it cannot understand', async () => {
    const { address } = await start();
    const wire = await Wire.open(Number(new URL(`http://${address}`).port));
    const message = JSON.stringify({ action: 'x', meta: { ctl: { serverCmd: 'quit' } } });
    const quit = `d_msg=${encodeURIComponent(message)}`;
    const head = 'POST / HTTP/1.1\r\nHost: x\r\n';
    const form = 'Content-Type: application/x-www-form-urlencoded\r\n';
    const unclear = `${head}Host: y\r\nContent-Length: 0\r\n\r\n`;
    await wire.send(`${unclear}${head}${form}Content-Length: ${quit.length}\r\n\r\n${quit}`);
    expect((await wire.answer())?.status).toBe(400);
    expect(await wire.answer()).toBeNull();
    wire.destroy();
    await sleep(200);
    expect((await request(Number(new URL(`http://${address}`).port), 'GET', '/')).status).toBe(400);
  });

  it('does not take a body for a file that is compressed on the way', async () => {
    const { address } = await start();
    const wire = await Wire.open(Number(new URL(`http://${address}`).port));
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n';
    await wire.send(`${head}0\r\n\r\n`);
    const answer = await wire.answer();
    expect([answer?.status, answer?.text]).toEqual([501, expect.stringContaining('only chunked')]);
    wire.destroy();
  });

  it('answers a target that is no URL', async () => {
    const { address } = await start();
    const answer = await request(Number(new URL(`http://${address}`).port), 'GET', '//');
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('has no meta')]);
  });

  it('lets the last of pushes with one id finish, and tells the others why they ended', async () => {
    const { address, store } = await start();
    const transport = { compress: { archive: 'none' }, resume: { id: 'c'.repeat(32), offset: 0 } };
    const meta = { remote: { path: '.' }, local: { path: 'f' }, transport };
    const push = async () => {
      const body = new FormData();
      body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
      body.set('encoding', 'none');
      body.set('local', new Blob(['x'.repeat(300_000)]), 'f');
      const answer = await fetch(`http://${address}/`, { method: 'POST', body });
      return { status: answer.status, text: await answer.text() };
    };
    const answers = await Promise.all(Array.from({ length: 8 }, push));
    for (const { status, text } of answers) {
      expect([200, 409]).toContain(status);
      if (status === 409) expect(text).toContain('the same transfer began anew');
    }
    expect(answers.map(({ status }) => status)).toContain(200);
    expect(readFileSync(join(store, 'f'), 'utf8')).toBe('x'.repeat(300_000));
    expect(readdirSync(store)).toEqual(['f']);
  });

  it('answers when it is asked to make a folder where nobody can make one', async () => {
    const outer = opened.folder();
    const { address } = await opened.pfioh(['--createDirsAsNeeded'], { cwd: outer });
    const meta = { remote: { path: '/proc/zz/yy' }, transport: { checkRemote: true } };
    for (let i = 0; i < 2; i += 1) {
      const query = new URLSearchParams({ meta: JSON.stringify(meta) });
      const signal = AbortSignal.timeout(10_000);
      const answer = await fetch(`http://${address}/?${query}`, { signal });
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain('cannot make the folder /proc/zz/yy');
    }
  });

  it('follows no link that stands for a folder of a plugin', async () => {
    const { store, outer, get, pushPlugin } = await start();
    for (const name of ['drop', 'private', 'empty']) mkdirSync(join(outer, name), { mode: 0o700 });
    for (const key of ['key-a', 'key-b', 'key-c']) mkdirSync(join(store, key));
    symlinkSync(join(outer, 'drop'), join(store, 'key-a/incoming'));
    symlinkSync(join(outer, 'private'), join(store, 'key-b/outgoing'));
    symlinkSync(join(outer, 'empty'), join(store, 'key-c/outgoing'));
    const specialHandling = { op: 'plugin' };
    const answers = [
      await pushPlugin('a'),
      await pushPlugin('b'),
      await get('pullPath', { remote: { key: 'c' }, specialHandling }),
    ];
    for (const { status, text } of answers) {
      expect(text).toContain('refused to go through the symbolic link');
      expect(status).toBe(403);
    }
    expect(readdirSync(join(outer, 'drop'))).toEqual([]);
    expect(readdirSync(join(outer, 'empty'))).toEqual([]);
    expect(statSync(join(outer, 'private')).mode & 0o777).toBe(0o700);
  });

  it('makes the folders of a plugin, the one for its output open to all users', async () => {
    const { store, pushPlugin } = await start();
    expect((await pushPlugin('k')).status).toBe(200);
    expect(existsSync(join(store, 'key-k/incoming/a.txt'))).toBe(true);
    expect(statSync(join(store, 'key-k/outgoing')).mode & 0o777).toBe(0o777);
  });

  it.each([
    ['none', 'sha256'],
    ['zip', 'sha256'],
    ['none', 'poly1305'],
    ['zip', 'poly1305'],
  ] as const)(
    'changes nothing when content (archive: %s, checked by %s) is not what was sent',
    async (archive, name) => {
      const { store, address } = await start();
      writeFileSync(join(store, 'a.txt'), 'old');
      const compress = { archive, unpack: archive === 'zip' };
      const meta = { remote: { path: '.' }, local: { path: 'a.txt' }, transport: { compress } };
      const body = new FormData();
      body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
      body.set('encoding', 'none');
      body.set('local', new Blob([craftArchive([{ name: 'a.txt' }])]), 'f');
      const check = { name, key: new Uint8Array(32) };
      body.set(name, 'f'.repeat(name === 'sha256' ? 64 : 32));
      const headers = { [CHECK_HEADER]: checkText(check) ?? '' };
      const answer = await fetch(`http://${address}/`, { method: 'POST', body, headers });
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('the content was damaged on the way');
      expect(readFileSync(join(store, 'a.txt'), 'utf8')).toBe('old');
      expect(readdirSync(store)).toEqual(['a.txt']);
    },
  );

  it('is told a key of a check that is none', async () => {
    const { store, address } = await start();
    writeFileSync(join(store, 'a.txt'), 'old');
    const meta = "{'remote': {'path': 'a.txt'}, 'transport': {'compress': {'archive': 'none'}}}";
    const query = new URLSearchParams({ action: 'pullPath', meta });
    const headers = { [CHECK_HEADER]: 'poly1305 short' };
    const answer = await fetch(`http://${address}/?${query}`, { headers });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('a key of 64 hexadecimal digits');
  });

  it('is not led round in a circle for ever by a link that leads somewhere all the same', async () => {
    // `l` is `x/../l`, and what is above `x` is not what its name stands in: who follows links by names alone never ends.
    const { store, get } = await start();
    mkdirSync(join(store, 'sub/deep'), { recursive: true });
    writeFileSync(join(store, 'sub/l'), 'found');
    symlinkSync('sub/deep', join(store, 'x'));
    symlinkSync('x/../l', join(store, 'l'));
    const transport = { compress: { archive: 'none' } };
    const pulled = await get('pullPath', { remote: { path: 'l' }, transport });
    expect(pulled).toMatchObject({ status: 403, text: expect.stringContaining('symbolic link') });
    const all = await get('pullPath', { remote: { path: '.' } });
    expect(all.status).toBeLessThan(500);
  });

  it('keeps what arrives for a resumed push in no file that a link leads to', async () => {
    const { store, outer, address } = await start();
    const victim = join(outer, 'victim');
    writeFileSync(victim, 'precious');
    const id = 'a'.repeat(32);
    symlinkSync(victim, join(store, `.pfioh-${id}.part`));
    const transport = { compress: { archive: 'none' }, resume: { id, offset: 0 } };
    const meta = { remote: { path: '.' }, local: { path: 'f' }, transport };
    const body = new FormData();
    body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
    body.set('encoding', 'none');
    body.set('local', new Blob(['new']), 'f');
    const answer = await fetch(`http://${address}/`, { method: 'POST', body });
    expect(answer.status).toBe(403);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(existsSync(join(store, 'f'))).toBe(false);
  });
});

describe('requests that a client of pfioh has sent ahead', () => {
  const ask = (host: string, count: number) =>
    Array.from({ length: count }, (_, i) => `GET /?a=${i} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(
      '',
    );
  const sendAll = (address: string, text: string) => {
    const { port, hostname } = new URL(`http://${address}`);
    return new Promise<{ answers: number; closes: number }>((resolve, reject) => {
      let got = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
        if (got.split('HTTP/1.1 400').length > 12) socket.end();
      });
      // What it has sent too much of may reset the connection: the answers came before.
      socket.once('error', (error) => {
        if (!/ECONNRESET|EPIPE/.test(error.message)) reject(error);
      });
      socket.once('close', () =>
        resolve({
          answers: got.split('HTTP/1.1 400').length - 1,
          closes: got.split(/Connection: close/i).length - 1,
        }),
      );
    });
  };

  it('are answered one after the other, when they are few', async () => {
    const { address } = await start();
    expect(await sendAll(address, ask(address, 12))).toEqual({ answers: 12, closes: 0 });
  });

  it('are not looked at, when they are many: the connection is closed behind some answers', async () => {
    const { address, get } = await start();
    const { answers, closes } = await sendAll(address, ask(address, 10_000));
    expect(answers).toBeLessThanOrEqual(17);
    expect(closes).toBeLessThanOrEqual(1);
    expect((await get('hello', {})).status).toBeLessThan(500);
  });
});
