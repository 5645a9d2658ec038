import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { requestBytes, Wire } from '../helpers/http.ts';
import { within } from '../helpers/patience.ts';
import { act, command, endServer, expectListener, replyOf, resultOf } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const hello = JSON.stringify(command('hello', { askAbout: 'timestamp' }));
const echoing = (echoBack: unknown) =>
  JSON.stringify(command('hello', { askAbout: 'echoBack', echoBack }));
const post = (body: string, ...headers: readonly string[]) =>
  [`POST /api/v1/cmd HTTP/1.1`, 'Host: x', ...headers, '', body].join('\r\n');
const withLength = (body: string, ...headers: readonly string[]) =>
  post(body, `Content-Length: ${Buffer.byteLength(body)}`, ...headers);
const chunked = (...chunks: readonly string[]) =>
  [...chunks, ''].map((c) => `${Buffer.byteLength(c).toString(16)}\r\n${c}\r\n`).join('');

describe('a server with one listener', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: ['--listeners', '1', '--maxBodySize', '8'] });
  });
  afterAll(async () => {
    await expectListener(server);
    await endServer(server);
  });

  /** Connections whose request was refused; the server gives each a moment before it closes. */
  const refused: Array<{ readonly what: string; readonly wire: Wire }> = [];

  /** Sends bytes that are no proper request and gets one clear refusal; the connection is looked at later. */
  async function expectRefused(bytes: string | Uint8Array, status: number): Promise<void> {
    const wire = await Wire.open(server.port);
    await wire.send(bytes);
    const answer = await wire.answer();
    expect([answer?.status, answer?.text]).toEqual([status, expect.stringContaining('"error"')]);
    expect(replyOf(answer).status).toBe(false);
    refused.push({ what: expect.getState().currentTestName ?? '', wire });
  }

  describe('a request', () => {
    it('may come in 64 segments', async () => {
      const bytes = requestBytes('POST', '/api/v1/cmd', { body: hello });
      const size = Math.floor(bytes.length / 64);
      const pieces = Array.from({ length: 63 }, () => size);
      const answer = await server.raw(bytes, { pieces, gapMs: 2 });
      expect(replyOf(answer).status).toBe(true);
    });

    it('may come a byte at a time', async () => {
      const bytes = requestBytes('GET', '/api/v1');
      const answer = await server.raw(bytes, { pieces: Array(bytes.length - 1).fill(1), gapMs: 1 });
      expect(answer?.status).toBe(200);
    });

    it('may have a body of megabytes, in any number of chunks', async () => {
      const text = 'x'.repeat(3_000_000);
      const body = echoing(text);
      const parts = body.match(/.{1,1000}/g) ?? [];
      for (const bytes of [
        withLength(body),
        post(chunked(...parts), 'Transfer-Encoding: chunked'),
        post(chunked(body), 'transfer-encoding: CHUNKED'),
      ]) {
        const { d_ret } = replyOf(await server.raw(bytes));
        expect((d_ret as { echoBack: { msg: string } }).echoBack.msg.length).toBe(text.length);
      }
    });

    it('is answered in turn when 50 come at once, each with its own answer', async () => {
      const wire = await Wire.open(server.port);
      const bodies = Array.from({ length: 50 }, (_, i) => echoing(i));
      await wire.send(
        bodies
          .map((body, i) =>
            i % 2 ? withLength(body) : post(chunked(body), 'Transfer-Encoding: chunked'),
          )
          .join(''),
      );
      for (let i = 0; i < 50; i += 1) {
        expect(replyOf(await wire.answer()).d_ret).toMatchObject({ echoBack: { msg: i } });
      }
      wire.destroy();
    });

    it('waits for 100 Continue and gets it', async () => {
      const wire = await Wire.open(server.port);
      const [head = '', body = ''] = withLength(hello, 'Expect: 100-continue').split('\r\n\r\n');
      await wire.send(`${head}\r\n\r\n`);
      expect((await wire.answer())?.status).toBe(100);
      await wire.send(body);
      expect(replyOf(await wire.answer()).status).toBe(true);
      wire.destroy();
    });

    it('may be named by a whole URL, as proxies do', async () => {
      const list = replyOf(await server.request('GET', '/api/v1')).GET;
      const absolute = replyOf(await server.request('GET', 'http://localhost/api/v1')).GET;
      expect(absolute).toEqual(list);
    });

    it.each(['DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'M-SEARCH'])(
      'with the verb %s is refused and changes nothing',
      async (verb) => {
        const answer = await server.request(verb, '/api/v1/cmd', { body: hello });
        expect(answer.status).toBe(400);
        expect(replyOf(answer).status).toBe(false);
      },
    );

    it('is carried out when its client has gone before the answer', async () => {
      const wire = await Wire.open(server.port);
      const jid = 'hung-up';
      const run = command('run', { cmd: 'echo done', auid: 'a', jid, threaded: true });
      await wire.send(withLength(JSON.stringify(run)));
      wire.finish();
      await wire.settled(2000);
      wire.destroy();
      await eventually(async () => (await resultOf(server, jid)).stdout[0] === 'done\n');
    });
  });

  describe('what is no request', () => {
    const tlsHello = Buffer.concat([
      Buffer.from('1603010200010001fc0303', 'hex'),
      Buffer.alloc(501, 0xa5),
    ]);

    it.each([
      ['a TLS hello', tlsHello],
      ['binary', Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i))],
      ['a megabyte of NULs', Buffer.alloc(1_000_000)],
      ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['an SSH greeting', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
      ['a ZeroMQ greeting', Buffer.from('ff00000000000000017f03', 'hex')],
      ['a request line without a target', 'GET\r\n\r\n'],
      ['a verb that is none', 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['a lower-case verb', 'post / HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['a head without a host', 'GET / HTTP/1.1\r\n\r\n'],
      ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n'],
      ['a NUL in the target', 'GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ])('is refused: %s', (_what, bytes) => expectRefused(bytes, 400));

    const smuggled = withLength(JSON.stringify(command('quit', {})));
    const size = Buffer.byteLength(hello);
    it.each([
      [
        'both lengths',
        post(chunked(hello), `Content-Length: ${size}`, 'Transfer-Encoding: chunked'),
      ],
      [
        'both lengths, chunks first',
        post(chunked(hello), 'Transfer-Encoding: chunked', 'Content-Length: 4'),
      ],
      ['two different lengths', post(hello, `Content-Length: ${size}`, 'Content-Length: 0')],
      ['a list of lengths', post(hello, `Content-Length: ${size}, 0`)],
      ['a signed length', post(hello, `Content-Length: +${size}`)],
      ['a negative length', post(hello, 'Content-Length: -1')],
      ['a hexadecimal length', post(hello, 'Content-Length: 0x40')],
      ['a length beyond 64 bits', post(hello, 'Content-Length: 99999999999999999999')],
      ['an unknown coding', post(hello, 'Transfer-Encoding: xchunked')],
      ['chunked not last', post(chunked(hello), 'Transfer-Encoding: chunked, identity')],
      ['chunked twice', post(chunked(hello), 'Transfer-Encoding: chunked, chunked')],
      ['a blank before the colon', post(hello, `Content-Length : ${size}`)],
      ['a tab in the name', post(hello, `Content-\tLength: ${size}`)],
      ['a folded header', post(chunked(hello), 'Transfer-Encoding:\r\n chunked')],
      ['a bare CR in a header', post(hello, `X: a\rContent-Length: ${size}`)],
      ['a header without a colon', post(hello, 'Content-Length 5')],
      ['a chunk size that is none', post('zz\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked')],
      ['a negative chunk size', post('-5\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked')],
      [
        'a chunk longer than its size',
        post('1\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
      ],
      [
        'a chunk size beyond 64 bits',
        post('fffffffffffffffff1\r\nhello', 'Transfer-Encoding: chunked'),
      ],
    ])('cannot smuggle a request in: %s', (_what, bytes) =>
      expectRefused(`${bytes}${smuggled}`, 400),
    );

    const empty = (...headers: readonly string[]) => post('', 'Content-Length: 0', ...headers);
    it.each([
      [400, 'two hosts', empty('Host: y')],
      [400, 'no host', empty().replace('Host: x\r\n', '')],
      [417, 'an expectation that nobody knows', empty('Expect: something')],
      [
        501,
        'a body that is compressed on the way',
        post(chunked(hello), 'Transfer-Encoding: gzip, chunked'),
      ],
    ])(
      'is told with %d that its connection closes, and nothing behind it is carried out: %s',
      (status, _what, bytes) => expectRefused(`${bytes}${smuggled}`, status),
    );

    it('has an answer that names the coding that nobody here undoes', async () => {
      const bytes = post(chunked(hello), 'Transfer-Encoding: gzip, chunked');
      const answer = await server.raw(Buffer.from(bytes));
      expect(answer?.text).toContain('the transfer coding \\"gzip\\" is not known');
    });

    it('a body without a length is the next request, and refused as one', async () => {
      const wire = await Wire.open(server.port);
      await wire.send(post(hello));
      expect((await wire.answer())?.status).toBe(400);
      expect((await wire.answer())?.status).toBe(400);
      wire.destroy();
    });
  });

  describe('what is too large', () => {
    it.each([
      ['one header', `A: ${'x'.repeat(20_000)}`],
      ['many headers', Array.from({ length: 3000 }, (_, i) => `A${i}: x`).join('\r\n')],
    ])('is refused with 431: %s', (_what, header) => expectRefused(post('', header), 431));

    it('is refused with 431: the target', () =>
      expectRefused(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431));

    it('is refused with 431: a head without end', () =>
      expectRefused(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(20_000)}`, 431));

    it('is refused with 413: a length above the limit, before it is sent', () =>
      expectRefused(post('', 'Content-Length: 8388609'), 413));

    it('is refused with 413: chunks above the limit', () =>
      expectRefused(
        post(chunked(...Array(9).fill('x'.repeat(1_000_000))), 'Transfer-Encoding: chunked'),
        413,
      ));

    it('is refused with 413: chunk extensions', () =>
      expectRefused(
        post(`1;${'x'.repeat(100_000)}\r\na\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked'),
        413,
      ));

    it('is taken up to the limit', async () => {
      const body = echoing('x'.repeat(8 * 1024 * 1024 - 100));
      expect((await server.request('POST', '/', { body })).status).toBe(200);
    });

    it('does not keep others waiting', async () => {
      const body = echoing('x'.repeat(8 * 1024 * 1024 - 100));
      const large = server.request('POST', '/', { body });
      const started = performance.now();
      expect(replyOf(await act(server, 'hello', { askAbout: 'timestamp' })).status).toBe(true);
      expect(performance.now() - started).toBeLessThan(within(1000));
      await large;
    });
  });

  it('is closed, each connection on which a request was refused, and nothing more was answered', async () => {
    for (const { what, wire } of refused) {
      const second = await wire.answer();
      wire.destroy();
      // A second answer would mean that the rest was taken for a request.
      expect([what, second, wire.unread.length]).toEqual([what, null, 0]);
    }
  });
});

describe('with --http', () => {
  it('lets pages read its answers only where a token lets in, refusals too', async () => {
    const folders = makeFolders();
    writeFileSync(join(folders.home, 'tokens'), 'tok-1234567890\n');
    const tokens = ['--enableTokenAuth', '--tokenPath', join(folders.home, 'tokens')];
    const cors = await startServer({ folders, flags: ['--http', ...tokens] });
    const headers = { Authorization: 'Bearer tok-1234567890', Origin: 'http://page.example' };
    const origin = (headers: ReadonlyArray<readonly [string, string]>) =>
      headers.filter(([name]) => name === 'Access-Control-Allow-Origin').map(([, v]) => v);
    const body = echoing('charset=UTF-8 UTF-8');
    const good = await cors.request('POST', '/', { body, headers });
    expect(good.header('content-type')).toBe('application/html');
    expect(origin(good.headers)).toEqual(['*']);
    expect(replyOf(good).d_ret).toMatchObject({ echoBack: { msg: 'charset=UTF-8 UTF-8' } });
    const bad = await cors.request('POST', '/', { body: '{', headers });
    expect([bad.status, ...origin(bad.headers)]).toEqual([400, '*']);
    const stranger = await cors.request('POST', '/', { body });
    expect([stranger.status, ...origin(stranger.headers)]).toEqual([401, '*']);
    const preflight = await cors.request('OPTIONS', '/api/v1/cmd', {
      headers: { Origin: 'http://page.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(origin(preflight.headers)).toEqual(['*']);
    expect(preflight.header('access-control-allow-headers')).toMatch(/content-type/i);
    await endServer(cors);
  });
});
