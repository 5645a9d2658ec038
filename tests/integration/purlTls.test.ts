import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { certificates, opensslMissing } from '../helpers/certificates.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

async function listening(server: HttpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.onClose(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy of its own: CONNECT makes a tunnel, and what it was asked is kept. */
async function startProxy(password?: string) {
  const asked: { readonly line: string; readonly authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const proxy = createHttpServer((request, response) => {
    const authorization = request.headers['proxy-authorization'];
    asked.push({ line: `${request.method} ${request.url}`, authorization });
    response.end('by way of the proxy');
  });
  proxy.on('connect', (request, client: Socket) => {
    const authorization = request.headers['proxy-authorization'];
    asked.push({ line: `CONNECT ${request.url}`, authorization });
    if (password !== undefined && authorization !== password) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = String(request.url).split(':');
    const upstream = connect(Number(port), host, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  const address = await listening(proxy);
  // Before the server is closed: it waits for its tunnels.
  opened.onClose(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { address, asked };
}

describeWithEngine('purl over https', opensslMissing, () => {
  let certs = '';
  let address = '';

  beforeEach(async () => {
    certs = certificates();
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(certs, name)));
    const server = createServer({ cert, key }, (_request, response) => response.end('secret'));
    address = await listening(server);
  });

  const trusting = () => ({ env: { NODE_EXTRA_CA_CERTS: join(certs, 'ca.pem') } });

  it('reads from a server whose certificate is signed by a known authority', async () => {
    const ended = await opened.purl(['--quiet', '--http', `https://${address}/`], trusting());
    expect(ended).toEqual({ code: 0, stdout: 'secret', stderr: '' });
  });

  it('refuses a certificate that nobody it knows has signed, and says so', async () => {
    const { code, stdout, stderr } = await opened.purl([
      '--quiet',
      '--http',
      `https://${address}/`,
    ]);
    expect({ code, stdout }).toEqual({ code: 35, stdout: '' });
    expect(stderr).toMatch(/^purl: no TLS with 127\.0\.0\.1:\d+: .*certificate/);
  });

  it('takes any certificate with --unverifiedCerts', async () => {
    const args = ['--quiet', '--unverifiedCerts', '--http', `https://${address}/`];
    expect(await opened.purl(args)).toEqual({ code: 0, stdout: 'secret', stderr: '' });
  });

  it('says when the server does not speak TLS', async () => {
    const plain = await listening(createHttpServer((_request, response) => response.end('x')));
    const { code, stderr } = await opened.purl(['--quiet', '--http', `https://${plain}/`]);
    expect(code).toBe(35);
    expect(stderr).toBe(`purl: ${plain} does not speak TLS; perhaps http:// is meant\n`);
  });

  it('goes through a tunnel of a proxy', async () => {
    const proxy = await startProxy();
    const args = ['--quiet', '--httpProxy', proxy.address, '--http', `https://${address}/`];
    expect(await opened.purl(args, trusting())).toEqual({ code: 0, stdout: 'secret', stderr: '' });
    expect(proxy.asked).toEqual([{ line: `CONNECT ${address}`, authorization: undefined }]);
  });

  it('checks the certificate of the server behind the proxy', async () => {
    const proxy = await startProxy();
    const args = ['--quiet', '--httpProxy', proxy.address, '--http', `https://${address}/`];
    expect((await opened.purl(args)).code).toBe(35);
  });

  it('names itself to a proxy that wants it, and says when it is refused', async () => {
    const proxy = await startProxy(`Basic ${Buffer.from('me:s3cret').toString('base64')}`);
    const through = (user: string) =>
      opened.purl(
        ['--quiet', '--httpProxy', `${user}${proxy.address}`, '--http', `https://${address}/`],
        trusting(),
      );
    expect((await through('http://me:s3cret@')).stdout).toBe('secret');
    const { code, stderr } = await through('http://');
    expect(code).toBe(5);
    expect(stderr).toMatch(/proxy .* does not connect to .*: 407/);
  });
});

describe('purl through a proxy', () => {
  it('asks a proxy for the whole address of a plain http server', async () => {
    const proxy = await startProxy();
    const args = ['--quiet', '--httpProxy', proxy.address, '--http', 'http://nowhere.invalid/a?b'];
    expect((await opened.purl(args)).stdout).toBe('by way of the proxy');
    expect(proxy.asked[0]?.line).toBe('GET http://nowhere.invalid/a?b');
  });

  it('says when the proxy is not there', async () => {
    const args = ['--retries', '0', '--httpProxy', '127.0.0.1:9', '--http', 'http://x.invalid/'];
    const { code, stderr } = await opened.purl(args);
    expect(code).toBe(7);
    expect(stderr).toContain('cannot connect to 127.0.0.1 port 9');
  });
});

describe('purl and servers that are slow or late', () => {
  it('tries again to connect until the server is there', async () => {
    const late = createHttpServer((_request, response) => response.end('at last'));
    const probe = createNetServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const client = opened.start('purl', [
      '--quiet',
      '--retries',
      '8',
      '--http',
      `127.0.0.1:${port}`,
    ]);
    // By now the first try has most likely failed; if not, the test still holds.
    const timer = setTimeout(() => late.listen(port, '127.0.0.1'), 1000);
    opened.onClose(() => {
      clearTimeout(timer);
      late.closeAllConnections();
      late.close();
    });
    expect(await client.ended).toEqual({ code: 0, stdout: 'at last', stderr: '' });
  });

  it('gives up when the TLS handshake does not go on', async () => {
    const mute = createNetServer((socket) => opened.onClose(() => void socket.destroy()));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    opened.onClose(() => void mute.close());
    const { port } = mute.address() as AddressInfo;
    const { code, stderr } = await opened.purl([
      '--connectTimeout',
      '0.3',
      '--http',
      `https://127.0.0.1:${port}/`,
    ]);
    expect(code).toBe(28);
    expect(stderr).toContain('within 300 ms');
  });

  it('follows a redirect from http to a place given relatively, and stops after ten', async () => {
    const server = createHttpServer((request, response) => {
      if (request.url === '/loop') response.writeHead(302, { Location: '/loop' }).end();
      else if (request.url === '/a/start') response.writeHead(307, { Location: 'end' }).end();
      else response.end(`${request.method} ${request.url}`);
    });
    const address = await listening(server);
    expect((await opened.purl(['--quiet', '--http', `${address}/a/start`])).stdout).toBe(
      'GET /a/end',
    );
    const { code, stderr } = await opened.purl(['--http', `${address}/loop`]);
    expect(code).toBe(47);
    expect(stderr).toContain('redirects more than 10 times');
  });
});
