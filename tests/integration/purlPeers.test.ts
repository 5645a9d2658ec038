import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server,
  type Socket,
} from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { limitSilence, sayAlive } from '../../lib/pfioh/patience.ts';
import { eventually, Opened, transferMessage } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await once(server.listen(0, host), 'listening');
  opened.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

type Listener = (...args: Parameters<RequestListener>) => unknown;

const serve = async (listener: Listener) =>
  `127.0.0.1:${await listen(createServer((request, response) => void listener(request, response)))}`;

/** A server that answers every request with these bytes, and closes. */
const say = async (...parts: readonly (string | Buffer)[]) => {
  const server = createNetServer((socket) => {
    socket.once('data', () => {
      for (const part of parts) socket.write(part);
      socket.end();
    });
  });
  return `127.0.0.1:${await listen(server)}`;
};

const get = (address: string, ...more: readonly string[]) =>
  opened.purl(['--quiet', '--fail', '--http', address, ...more]);
const MESSAGE = ['--msg', '{"action": "hello", "meta": {"secret": "in the body"}}'];

describe('a redirect', () => {
  /** Two servers: the second one keeps what it is asked. */
  async function pair(status: number, back = false) {
    const seen: { headers: IncomingMessage['headers']; body: string }[] = [];
    const other = await serve(async (request, response) => {
      const body = (await request.toArray()).join('');
      seen.push({ headers: request.headers, body });
      if (back) response.writeHead(302, { Location: `http://${first}/again` }).end();
      else response.end('{}');
    });
    const first: string = await serve((request, response) => {
      request.resume();
      if (request.url === '/again') {
        seen.push({ headers: request.headers, body: '' });
        response.end('{}');
      } else response.writeHead(status, { Location: `http://${other}/x` }).end();
    });
    return { first, other, seen };
  }

  const SECRETS = ['-H', 'X-Api-Key: hunter2', '--authToken', 'SEKRIT'];

  it.each([
    ['to another server', false],
    ['back from there', true],
  ])('tells nothing that was meant for the first one: %s', async (_where, back) => {
    const { first, seen } = await pair(302, back);
    expect((await get(first, ...SECRETS, ...MESSAGE)).code).toBe(0);
    expect(seen).toHaveLength(back ? 2 : 1);
    expect(JSON.stringify(seen)).not.toMatch(/hunter2|SEKRIT|secret/);
    expect(seen[0]?.headers['user-agent']).toMatch(/^purl/);
  });

  it('to a name in UTF-8 that is not escaped asks for that name', async () => {
    const asked: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      asked.push(request.url);
      response.end('{}');
    });
    const first = await say(
      `HTTP/1.1 302 Found\r\nLocation: http://${other}/ü b\r\nContent-Length: 0\r\n\r\n`,
    );
    expect((await get(first)).code).toBe(0);
    expect(asked).toEqual(['/%C3%BC%20b']);
  });

  it('that would send the body elsewhere is not followed', async () => {
    const { first, other, seen } = await pair(307);
    const { code, stderr } = await get(first, ...SECRETS, ...MESSAGE);
    expect(stderr).toContain(`wants what is sent to go to http://${other}`);
    expect({ code, seen }).toEqual({ code: 47, seen: [] });
  });
});

describe('an answer that is not quite right is read as curl reads it', () => {
  const body = '{"status": true}';
  const length = `Content-Length: ${body.length}\r\n`;

  it.each([
    ['its length twice', `HTTP/1.1 200 OK\r\n${length}${length}\r\n`],
    ['its length twice on a line', `HTTP/1.1 200 OK\r\nContent-Length: 16, 16\r\n\r\n`],
    ['a head of 256 kB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(256_000)}\r\n${length}\r\n`],
    ['many headers', `HTTP/1.1 200 OK\r\n${'X-Y: zzzzzzzzzz\r\n'.repeat(12_000)}${length}\r\n`],
    ['a head that begins twice', `HTTP/1.0 200 OK\r\nDate: x\r\nHTTP/1.0 200 OK\r\n${length}\r\n`],
    [
      'another answer before it',
      `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n${length}${length}\r\n`,
    ],
    ['line ends without carriage return', `HTTP/1.1 200 OK\nContent-Length: 16\n\n`],
  ])('%s', async (_what, head) => {
    const address = await say(head.slice(0, 40), head.slice(40), body);
    expect(await get(address, '--raw', ...MESSAGE)).toEqual({
      code: 0,
      stdout: `${body}\n`,
      stderr: '',
    });
    expect(await get(address)).toMatchObject({ code: 0, stdout: body });
  });

  it.each(['', 'Upgrade: x\r\nConnection: Upgrade\r\n'])(
    'but not when it goes on in another protocol: %j',
    async (headers) => {
      const answer = `HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`;
      const { code, stderr } = await get(await say(answer));
      expect(stderr).toContain('goes on in another protocol than HTTP');
      expect(code).toBe(52);
    },
  );

  it('but not when it says two lengths, or is shorter than it says', async () => {
    const two = await say(`HTTP/1.1 200 OK\r\n${length}Content-Length: 5\r\n\r\n${body}`);
    expect((await get(two)).code).toBe(52);
    for (const version of ['1.0', '1.1']) {
      const short = await say(`HTTP/${version} 200 OK\r\nContent-Length: 1000\r\n\r\n${body}`);
      const { code, stderr } = await get(short);
      expect(stderr).toContain('broke off');
      expect(code).toBe(18);
    }
  });

  it('the refusal of a Python pfioh of 2.2 that wants a token', async () => {
    const head = 'HTTP/1.0 401 Unauthorized.\r\nServer: BaseHTTP/0.6\r\nDate: x\r\n';
    const page = '<p>Error code: 401</p>\n';
    const address = await say(
      `${head}${head}Content-Length: ${page.length}\r\n\r\n${page}\r\n200 OK\r\n\r\n{}`,
    );
    const message = transferMessage('pushPath', { local: opened.folder(), remote: '/x' });
    const { code, stderr } = await get(address, '--msg', message);
    expect(stderr).toContain('refused the request (401): it wants a valid token');
    expect(code).toBe(1);
  });
});

describe('a proxy', () => {
  it.each([
    ['http://nowhere.invalid/', MESSAGE],
    ['http://nowhere.invalid/', []],
    ['https://nowhere.invalid/', []],
  ])('that wants a user says so: %s %j', async (url, more) => {
    const page = 'x'.repeat(50);
    const length = `Content-Length: ${page.length}\r\n`;
    const head = `HTTP/1.1 407 Proxy Authentication Required\r\n${length}${length}\r\n${page}`;
    const proxy = await say(head);
    const { code, stderr } = await get(url, '--httpProxy', proxy, ...more);
    expect(stderr).toContain(
      '407 Proxy Authentication Required; it wants a user: --httpProxy user:password@host:port',
    );
    expect(code).toBe(5);
  });

  it('that does not speak HTTP, or says nothing, is named', async () => {
    const url = 'https://nowhere.invalid/';
    const odd = await get(url, '--httpProxy', await say('SSH-2.0\r\n\r\n'));
    expect(odd).toMatchObject({ code: 5 });
    expect(odd.stderr).toContain('it does not speak HTTP');
    const closing = await get(url, '--httpProxy', await say());
    expect(closing.stderr).toContain('closed the connection without an answer');
    const silent = `127.0.0.1:${await listen(createNetServer())}`;
    const waited = await get(url, '--httpProxy', silent, '--connectTimeout', '0.3');
    expect(waited).toMatchObject({ code: 28 });
  });
});

describe('an address with the interface it is reached by', () => {
  it('is connected to over that interface', async () => {
    if (!existsSync('/proc/net/if_inet6')) return;
    const server = createServer((request, response) => response.end(request.headers.host));
    const port = await listen(server, '::1');
    for (const zone of ['%lo', '%25lo']) {
      expect(await get(`http://[::1${zone}]:${port}/`)).toMatchObject({
        code: 0,
        stdout: `[::1]:${port}`,
      });
    }
    const wrong = await get(`http://[fe80::1%none]:${port}/`, '--retries', '0');
    expect([6, 7]).toContain(wrong.code);
  });
});

const READY = '{"status": true, "isfile": false, "isdir": true}';

/** A server that calls itself pfioh; what it does with a transfer is given. */
const fakePfioh = (transfer: Listener) =>
  serve((request, response) => {
    response.setHeader('Pfioh-Version', 'test');
    const isCheck = request.method === 'GET' && request.url?.includes('checkRemote%27%3A+True');
    if (isCheck) response.end(READY);
    else transfer(request, response);
  });

describe('a server that falls silent', () => {
  it.each<[string, 'pushPath' | 'pullPath', Listener]>([
    ['before it answers a push', 'pushPath', (request) => request.resume()],
    ['while it is sent to', 'pushPath', () => {}],
    ['before it answers a pull', 'pullPath', () => {}],
    ['in its answer', 'pullPath', (_request, response) => response.write('PK')],
  ])('ends a transfer with 28: %s', async (_when, action, transfer) => {
    const address = await fakePfioh(transfer);
    const local = opened.folder();
    writeFileSync(join(local, 'f'), Buffer.alloc(32 * 1024 * 1024, Math.random().toString()));
    const message = transferMessage(action, { local, remote: '/x' });
    const { code, stderr } = await get(address, '--timeout', '0.5', '--msg', message);
    expect(stderr).toContain('nothing came for ');
    expect({ code, files: readdirSync(local) }).toEqual({ code: 28, files: ['f'] });
  });

  it('is waited for as long as it says that it is at work', async () => {
    const address = await fakePfioh(async (request, response) => {
      sayAlive(request, response);
      request.resume();
      await once(request, 'end');
      await sleep(6000);
      response.end('{"status": true, "sha256": "other"}');
    });
    const message = transferMessage('pushPath', { local: opened.folder(), remote: '/x' });
    const { code } = await get(address, '--timeout', '4', '--msg', message);
    expect(code).toBe(79);
  });
});

describe('a client that falls silent', () => {
  it.each([
    ['before its request is whole', 'POST / HTTP/1.1\r\nHost: x'],
    ['in a push', 'form'],
    ['in the answer to a pull', 'pull'],
  ])('is left, and nothing changes: %s', async (_when, what) => {
    const store = opened.folder();
    const big = join(opened.folder(), 'big');
    const { address, stderr } = await opened.pfioh([
      ...['--storeBase', store, '--timeout', '0.5', '-v', '1'],
    ]);
    mkdirSync(join(store, 'd'));
    writeFileSync(join(store, 'big'), Buffer.alloc(32 * 1024 * 1024));
    const meta = JSON.stringify({
      local: { path: big },
      remote: { path: what === 'pull' ? 'big' : 'd' },
      transport: { compress: { archive: 'none', encoding: 'none' } },
    });
    const part = (name: string, text: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}`;
    const sent: Record<string, string> = {
      form: `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000\r\n\r\n${part('d_msg', `{"action": "pushPath", "meta": ${meta}}`)}\r\n${part('encoding', 'none')}\r\n${part('local', 'beginning')}`,
      pull: `GET /?${new URLSearchParams({ meta })} HTTP/1.1\r\nHost: x\r\n\r\n`,
    };
    const [host = '', port = ''] = address.split(':');
    const socket = connect(Number(port), host);
    socket.on('error', () => {});
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    await once(socket, 'connect');
    socket.write(sent[what] ?? what);
    if (what === 'pull') {
      await once(socket, 'readable');
      await eventually('pfioh gives up', () => stderr().includes('request failed'));
    }
    socket.resume();
    await eventually('the connection is closed', () => isClosed);
    await eventually('nothing is left', () => readdirSync(join(store, 'd')).length === 0);
    if (what === 'pull') expect(socket.bytesRead).toBeLessThan(32 * 1024 * 1024);
    expect(readFileSync(join(store, 'big'))).toHaveLength(32 * 1024 * 1024);
  });

  it('is not one that waits for the server', async () => {
    const server = createServer();
    const { watch } = limitSilence(server, 300);
    server.on('request', (request, response) => {
      watch(request, response);
      request.resume();
      void sleep(1500).then(() => response.end('done'));
    });
    const address = `127.0.0.1:${await listen(server)}`;
    expect(await get(address)).toMatchObject({ code: 0, stdout: 'done' });
  });
});

describe('what a server says', () => {
  it.each([
    ['as JSON', MESSAGE],
    ['as it comes', []],
  ])('cannot command the terminal that it is shown on, %s', async (_how, more) => {
    if (!existsSync('/usr/bin/script')) return;
    const address = await serve((request, response) => {
      request.resume();
      response.end('"a\u009b31m\u007f\u202e \\u001b"\u001b[2J');
    });
    const bin = join(import.meta.dirname, '../../dist/bin/purl.js');
    const quoted = [bin, '--quiet', '--http', address, ...more].map((word) => `'${word}'`);
    const folder = opened.folder();
    const { spawn } = await import('node:child_process');
    const out = join(folder, 'typescript');
    const child = spawn('/usr/bin/script', ['-qec', `node ${quoted.join(' ')}`, out], {
      stdio: 'ignore',
    });
    await once(child, 'exit');
    const text = readFileSync(out, 'utf8').split('\n').slice(1, -2).join('\n');
    expect(text).toContain('\\u009b31m\\u007f\\u202e');
    for (const obeyed of '\u001b\u007f\u009b\u202e') expect(text).not.toContain(obeyed);
  });
});

describe('a transfer whose server cannot be asked', () => {
  const push = () =>
    transferMessage('pushPath', { local: opened.folder(), remote: '/x', archive: 'zip' });
  const statusOf = async (address: string, ...more: readonly string[]) =>
    (await opened.purl(['--quiet', '--http', address, '--msg', push(), ...more])).code;

  it('fails with --quiet as well: scripts look at the status', async () => {
    const refusal = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}';
    const other = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
    expect({
      connect: await statusOf('127.0.0.1:1'),
      resolve: await statusOf('no-such-host.invalid'),
      tls: await statusOf(`https://${await say(other)}`),
      silence: await statusOf(await say('')),
      stranger: await statusOf(await say(other)),
      token: await statusOf(await say(refusal)),
    }).toEqual({ connect: 7, resolve: 6, tls: 35, silence: 52, stranger: 52, token: 1 });
  });

  it('or refuses the path, fails; a path that is not there is in the report, as ever', async () => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    const to = (remote: string) => {
      const msg = transferMessage('pushPath', { local: opened.folder(), remote });
      return opened.purl(['--quiet', '--http', address, '--msg', msg]);
    };
    expect((await to('../outside')).code).toBe(1);
    expect((await to('missing')).code).toBe(0);
  });

  it('or does not quit with --oneShot, fails', async () => {
    const folder = opened.folder();
    const [file, value] = [join(folder, 'tokens.ini'), 'transfer-0f1e2d3c4b5a69788796a5b4c3d2e1f0'];
    writeFileSync(file, `[TOKEN t]\nvalue = ${value}\nscopes = transfer\n`, { mode: 0o600 });
    const flags = ['--storeBase', folder, '--enableTokenAuth', '--tokenPath', file];
    const { address } = await opened.pfioh(flags);
    const options = { local: opened.folder(), remote: '.' };
    const token = ['--authToken', value];
    expect((await opened.transfer(address, 'pushPath', options, token)).code).toBe(0);
    const { code, report } = await opened.transfer(address, 'pushPath', options, [
      ...[...token, '--oneShot'],
    ]);
    expect([report.status, code]).toEqual([true, 22]);
  });
});
