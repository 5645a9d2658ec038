import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { craftArchive } from '../helpers/archive.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

type Meta = Readonly<Record<string, unknown>>;

/** What clients of pfioh 1.6.2 send by hand, with curl or their own code, and what they find in the answer. */
describe('clients of pfioh 1.6.2', () => {
  const answerOf = async (answer: Response): Promise<[number, Record<string, unknown>]> => [
    answer.status,
    (await answer.json()) as Record<string, unknown>,
  ];
  const push = async (
    address: string,
    meta: Meta,
    content?: Buffer | string,
    encoding = 'none',
  ) => {
    const body = new FormData();
    if (content !== undefined) {
      body.set('local', new Blob([content]), 'x');
      body.set('encoding', encoding);
    }
    body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
    return answerOf(await fetch(`http://${address}/`, { method: 'POST', body }));
  };
  const get = async (address: string, query: string) =>
    answerOf(await fetch(`http://${address}/api/v1/cmd/?${query}`));
  const compress = (encoding: string, archive: string, unpack: unknown = true) => ({
    mechanism: 'compress',
    compress: { encoding, archive, unpack, cleanup: true },
  });
  const copy = (symlink: unknown) => ({ mechanism: 'copy', copy: { symlink } });
  const places = () => {
    const folder = opened.folder();
    for (const name of ['src', 'dst']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'src/a.txt'), 'AAA\n');
    const at = (name: string) => ({ path: join(folder, name) });
    return { folder, at };
  };

  it('see that an archive was written before it was unpacked, unless it came as base64', async () => {
    const { folder, at } = places();
    const { address } = await opened.pfioh();
    const zip = craftArchive([{ name: 'src/b.txt', content: 'b' }]);
    const meta = (encoding: string) => ({
      local: at('src'),
      remote: { path: `${folder}/dst/` },
      transport: compress(encoding, 'zip'),
    });
    const [, plain] = await push(address, meta('none'), zip);
    const file = `${folder}/dst//src.zip`;
    expect(Object.keys(plain).filter((key) => key !== 'sha256')).toEqual([
      'write',
      'status',
      'msg',
      'unzip',
      'User-agent',
    ]);
    expect(plain).toMatchObject({
      write: { decode: false, file, status: true, msg: 'File written successfully!' },
      unzip: { fileProcessed: file, path: `${folder}/dst/` },
    });
    const [, encoded] = await push(address, meta('base64'), zip.toString('base64'), 'base64');
    expect(Object.keys(encoded).filter((key) => key !== 'sha256')).toEqual([
      'decode',
      'unzip',
      'status',
      'msg',
      'User-agent',
    ]);
    expect(readdirSync(join(folder, 'dst/src'))).toEqual(['b.txt']);
  });

  it('find the failed decoding in a refusal, and no half of what was damaged', async () => {
    const { folder, at } = places();
    const { address } = await opened.pfioh();
    const meta = (remote: string) => ({
      local: at('src/a.txt'),
      remote: at(remote),
      transport: compress('base64', 'none', false),
    });
    const text = Buffer.from('hello').toString('base64');
    expect(await push(address, meta('none'), text, 'base64')).toMatchObject([
      404,
      { decode: { status: false, msg: expect.stringContaining('no such folder') }, status: false },
    ]);
    for (const damaged of [`!!!${text}`, text.slice(0, -1), 'a'])
      expect(await push(address, meta('dst'), damaged, 'base64')).toMatchObject([
        400,
        { decode: { status: false }, msg: expect.stringContaining('not base64') },
      ]);
    expect(readdirSync(join(folder, 'dst'))).toEqual([]);
  });

  it('are served on when another one vanishes in the middle of base64', async () => {
    const { folder, at } = places();
    const { address, child } = await opened.pfioh();
    const [host = '', port = ''] = address.split(':');
    const meta = {
      local: at('src/a.txt'),
      remote: at('dst'),
      transport: compress('base64', 'none'),
    };
    const part = (name: string, value: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const form =
      part('encoding', 'base64') +
      part('d_msg', JSON.stringify({ action: 'pushPath', meta })) +
      '--b\r\nContent-Disposition: form-data; name="local"\r\n\r\naGVs';
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n`;
    for (let i = 0; i < 20; i += 1) {
      const socket = connect(Number(port), host);
      socket.on('error', () => {});
      await new Promise((resolve) => socket.write(head + form, resolve));
      socket.destroy();
    }
    const meta2 = JSON.stringify({ remote: at('dst'), transport: { checkRemote: true } });
    const query = String(new URLSearchParams({ action: 'x', meta: meta2 }));
    expect(await get(address, query)).toMatchObject([200, { status: true, isdir: true }]);
    expect(child.exitCode).toBe(null);
    expect(readdirSync(join(folder, 'dst')).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it('get the whole report of a copy that failed', async () => {
    const { folder, at } = places();
    const { address } = await opened.pfioh();
    const meta = { local: at('src'), remote: at('dst'), transport: copy(true) };
    const ends = { source: join(folder, 'src'), destination: join(folder, 'dst') };
    const rest = { ...ends, copytree: false, copyfile: false, timestamp: expect.any(String) };
    const link = `ln -s ${ends.source} ${ends.destination}`;
    expect(await push(address, meta)).toEqual([200, { status: true, symlink: link, ...rest }]);
    expect(lstatSync(join(folder, 'dst/src')).isSymbolicLink()).toBe(true);
    const again = { status: false, msg: expect.stringContaining('File exists') };
    expect(await push(address, meta)).toMatchObject([409, { ...again, symlink: link, ...rest }]);
    const pull = { local: at('dst'), remote: at('src'), transport: copy(1) };
    const query = String(new URLSearchParams({ action: 'pullPath', meta: JSON.stringify(pull) }));
    expect(await get(address, query)).toMatchObject([409, { ...again, symlink: false, ...rest }]);
    expect(await push(address, { ...meta, local: at('none') })).toMatchObject([
      404,
      { status: false, source: join(folder, 'none'), copyfile: false },
    ]);
  });

  it('make the place of a copy as Python does', async () => {
    const { folder, at } = places();
    const { address } = await opened.pfioh();
    const done = { status: true };
    const folderCopy = { local: at('src'), remote: at('new/er'), transport: copy(false) };
    expect(await push(address, folderCopy)).toMatchObject([200, { ...done, copytree: true }]);
    expect(readFileSync(join(folder, 'new/er/src/a.txt'), 'utf8')).toBe('AAA\n');
    const fileCopy = { local: at('src/a.txt'), remote: at('b.txt'), transport: copy(0) };
    expect(await push(address, fileCopy)).toMatchObject([200, { ...done, copyfile: true }]);
    expect(readFileSync(join(folder, 'b.txt'), 'utf8')).toBe('AAA\n');
  });

  it('may leave the remote path to the server', async () => {
    const { folder } = places();
    const { address } = await opened.pfioh([], { cwd: folder });
    const meta = { local: { path: '/a/b.txt' }, remote: {}, transport: compress('none', 'none') };
    expect(await push(address, meta, 'hi')).toMatchObject([
      200,
      { write: { file: 'received-b.txt' } },
    ]);
    expect(readFileSync(join(folder, 'received-b.txt'), 'utf8')).toBe('hi');
  });

  it('hear of a path that cannot be in the words of a check', async () => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    for (const [path, status] of [
      ['', 400],
      ['/etc', 403],
    ] as const) {
      const meta = JSON.stringify({ remote: { path }, transport: { checkRemote: true } });
      const query = String(new URLSearchParams({ action: 'x', meta }));
      const none = { status: false, isfile: false, isdir: false };
      expect(await get(address, query)).toMatchObject([status, none]);
    }
  });

  it('may write yes and no in many ways, and a member twice', async () => {
    const { folder } = places();
    const { address } = await opened.pfioh();
    for (const [yes, status] of [
      ['1', true],
      ["'yes'", true],
      ['[0]', true],
    ] as const) {
      const meta = `{'remote': {'path': '${folder}'}, 'transport': {'checkRemote': ${yes}}}`;
      const twice = `meta=%7B&meta=${encodeURIComponent(meta)}`;
      expect(await get(address, `action=x&${twice}`)).toMatchObject([200, { status }]);
    }
  });

  it('may send a form without parts', async () => {
    const { at } = places();
    const { address, ended } = await opened.pfioh();
    const send = async (meta: Meta) => {
      const d_msg = JSON.stringify({ action: 'pushPath', meta });
      const body = new URLSearchParams({ d_msg, local: 'hi', encoding: 'none' });
      if ('ctl' in meta) body.delete('local');
      return answerOf(await fetch(`http://${address}/`, { method: 'POST', body }));
    };
    const meta = { local: at('x.txt'), remote: at('dst'), transport: compress('none', 'none') };
    expect(await send(meta)).toMatchObject([200, { write: { filesize: '2' } }]);
    expect(await send({ ctl: { serverCmd: 'quit' } })).toEqual([
      200,
      { msg: 'Server shut down', status: true },
    ]);
    expect((await ended).code).toBe(0);
  });

  it('are told that a method is not there, and that a message is too large', async () => {
    const { address } = await opened.pfioh();
    const put = await fetch(`http://${address}/`, { method: 'PUT', body: 'x' });
    expect(put.status).toBe(501);
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const body = new ReadableStream({
      start(stream) {
        for (let i = 0; i < 20; i += 1) stream.enqueue(chunk);
        stream.close();
      },
    });
    const options = { method: 'POST', body, duplex: 'half' } as const;
    const large = await fetch(`http://${address}/`, options);
    expect(large.status).toBe(413);
  });
});
