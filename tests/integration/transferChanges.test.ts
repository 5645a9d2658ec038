import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openNameless } from '../../lib/transfer/openNameless.ts';
import { craftArchive } from '../helpers/archive.ts';
import { eventually, Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

// More than what the buffers on the way hold, also when it is packed.
const CONTENT = randomBytes(64 * 1024 * 1024);

/** Makes what is sent: a file `big`, and in a folder another one behind it. */
function makeTree(): { folder: string; big: string; last: string } {
  const folder = join(opened.folder(), 'd');
  mkdirSync(folder);
  const [big, last] = [join(folder, 'big'), join(folder, 'last')];
  writeFileSync(big, CONTENT);
  writeFileSync(last, 'x');
  return { folder, big, last };
}

/** A server that calls itself pfioh, and takes of a push a first piece only until it is told to go on. */
async function slowServer() {
  let arrived: (push: IncomingMessage) => void = () => {};
  const push = new Promise<IncomingMessage>((resolve) => {
    arrived = resolve;
  });
  const server = createServer((request, response) => {
    response.setHeader('Pfioh-Version', 'test');
    if (request.method === 'GET') response.end('{"status": true, "isfile": false, "isdir": true}');
    else {
      let bytes = 0;
      const take = (chunk: Buffer) => {
        bytes += chunk.length;
        // The file is being read by now.
        if (bytes < 1024 * 1024) return;
        request.off('data', take).pause();
        arrived(request);
      };
      request.on('data', take);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  opened.onClose(() => {
    server.closeAllConnections();
    server.close();
  });
  return { push, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('what changes while it is sent', () => {
  it.each<[string, string, (tree: ReturnType<typeof makeTree>) => void, RegExp]>([
    ['a file that shrinks', 'big', ({ big }) => truncateSync(big, 5), /big shrank/],
    ['a file that grows', 'big', ({ big }) => appendFileSync(big, 'x'), /big grew/],
    ['a file that shrinks in a folder', '', ({ big }) => truncateSync(big, 5), /big shrank/],
    ['a file that vanishes from a folder', '', ({ last }) => rmSync(last), /last: ENOENT/],
  ])('ends a push with 26: %s', async (_what, name, change, why) => {
    const tree = makeTree();
    const { push, address } = await slowServer();
    const message = transferMessage('pushPath', {
      local: join(tree.folder, name),
      remote: '/x',
      archive: name === '' ? 'zip' : 'none',
    });
    const running = opened.purl(['--quiet', '--fail', '--http', address, '--msg', message]);
    const request = await push;
    change(tree);
    request.on('error', () => {});
    request.resume();
    const { code, stderr } = await running;
    expect(stderr).toMatch(why);
    expect({ code, complete: request.complete }).toEqual({ code: 26, complete: false });
  });

  it.each([
    ['a file', 'd/big'],
    ['a folder', 'd'],
  ])('breaks off a pull of %s', async (_what, path) => {
    const { folder, big } = makeTree();
    const { address } = await opened.pfioh(['--storeBase', join(folder, '..')]);
    const compress = { encoding: 'none', archive: path === 'd' ? 'zip' : 'none' };
    const meta = JSON.stringify({ remote: { path }, transport: { compress } });
    const answer = await new Promise<IncomingMessage>((resolve) => {
      get(`http://${address}/?${new URLSearchParams({ meta })}`, resolve);
    });
    await once(answer, 'readable');
    truncateSync(big, 5);
    answer.resume();
    await expect(once(answer, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('what says a wrong size', () => {
  it('arrives with its content, pushed and pulled, alone and in a folder', async () => {
    // Made by the system when it is read: its size is 0.
    if (!existsSync('/proc/sys/kernel/ostype')) return;
    const content = readFileSync('/proc/sys/kernel/ostype', 'utf8');
    const store = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', store, '--createDirsAsNeeded']);
    for (const archive of ['none', 'zip']) {
      const options = { local: '/proc/sys/kernel/ostype', remote: archive, archive };
      const pushed = await opened.transfer(address, 'pushPath', options);
      expect({ code: pushed.code, stderr: pushed.stderr }).toEqual({ code: 0, stderr: '' });
      expect(readFileSync(join(store, archive, 'ostype'), 'utf8')).toBe(content);
    }
    const all = await opened.pfioh([]);
    const back = opened.folder();
    for (const encoding of ['none', 'base64']) {
      const pulled = await opened.transfer(all.address, 'pullPath', {
        local: back,
        remote: '/proc/sys/kernel/ostype',
        archive: 'none',
        encoding,
      });
      expect({ code: pulled.code, stderr: pulled.stderr }).toEqual({ code: 0, stderr: '' });
      expect(readFileSync(join(back, 'ostype'), 'utf8')).toBe(content);
      rmSync(join(back, 'ostype'));
    }
  });

  it('is refused by whoever was told another one', async () => {
    const store = opened.folder();
    const { address } = await opened.pfioh(['--storeBase', store]);
    const local = { path: 'f', bytes: 5 };
    const form = new FormData();
    const compress = { archive: 'none' };
    const meta = { local, remote: { path: '.' }, transport: { compress } };
    form.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
    form.set('encoding', 'none');
    form.set('local', new Blob(['four']), 'f');
    form.set('sha256', createHash('sha256').update('four').digest('hex'));
    const answer = await fetch(`http://${address}/`, { method: 'POST', body: form });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('4 bytes arrived, 5 were announced');
    expect(readdirSync(store)).toEqual([]);
  });
});

/** Starts a push by hand to a place in a store; its content ends with `finish`. */
async function startPush(address: string, meta: object, content: Buffer) {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const part = (name: string, text: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}`;
  const form = `${part('d_msg', JSON.stringify({ action: 'pushPath', meta }))}\r\n${part('encoding', 'none')}\r\n${part('local', '')}`;
  const end = '\r\n--b--\r\n';
  const length = form.length + content.length + end.length;
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\n\r\n${form}`,
  );
  socket.write(content);
  const finish = async () => {
    socket.write(end);
    return String(await buffer(socket));
  };
  return { finish };
}

/** Waits until a program has an open file without a name that has something in it. */
const storing = ({ pid }: ChildProcess, bytes: number) =>
  eventually('the content is being stored', () =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const stats = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
      return stats?.nlink === 0 && stats.isFile() && stats.size >= bytes;
    }),
  );

const hasNameless = async (folder: string) => {
  const file = await openNameless(folder, { nameable: true });
  await file?.close();
  return file !== undefined;
};

const PLAIN = { compress: { archive: 'none' } };

describe('a server that is killed', () => {
  it('leaves nothing of a file that was arriving, at any moment', async () => {
    const store = opened.folder();
    // Where the file system has no files without a name, another process removes what is left, a little later.
    if (!(await hasNameless(store))) return;
    const { address, child, ended } = await opened.pfioh(['--storeBase', store]);
    const meta = { local: { path: 'f' }, remote: { path: '.' }, transport: PLAIN };
    await startPush(address, meta, CONTENT.subarray(0, 8 * 1024 * 1024));
    await storing(child, 1024 * 1024);
    expect(readdirSync(store)).toEqual([]);
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(store)).toEqual([]);
  });
});

describe('a folder of a store that becomes a link while a push arrives', () => {
  it.each<[string, object, Buffer]>([
    ['a file', PLAIN, Buffer.alloc(300_000, 'x')],
    [
      'an archive',
      { compress: { archive: 'zip', unpack: true } },
      craftArchive([{ name: 'd/f', content: randomBytes(300_000), stored: true }, { name: 'd/' }]),
    ],
  ])('leads nothing outside: %s', async (_what, transport, content) => {
    const [store, outside] = [opened.folder(), opened.folder()];
    if (!(await hasNameless(store))) return;
    mkdirSync(join(store, 'd'));
    const { address, child } = await opened.pfioh(['--storeBase', store]);
    const meta = { local: { path: 'f' }, remote: { path: 'd' }, transport };
    const { finish } = await startPush(address, meta, content);
    await storing(child, 100_000);
    renameSync(join(store, 'd'), join(store, 'moved'));
    symlinkSync(outside, join(store, 'd'));
    expect(await finish()).toContain('200 OK');
    expect(readdirSync(outside)).toEqual([]);
    // It is where it was when the push began, whatever that is called now.
    expect(readdirSync(join(store, 'moved'))).toHaveLength(1);
  });
});
