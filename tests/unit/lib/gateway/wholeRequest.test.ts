import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readWhole } from '../../../../lib/gateway/wholeRequest.ts';

const MAX_HEAD = 8192;
const whole = (text: string) => readWhole(Buffer.from(text, 'latin1'), MAX_HEAD);

/** What both readers see in a request. */
interface Seen {
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly httpVersion: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** The first request that node's parser sees in these bytes, of two that follow each other; undefined when it refuses them. */
async function seenByNode(text: string): Promise<readonly Seen[]> {
  const server = createServer({ requireHostHeader: false });
  server.maxHeadersCount = 0;
  const seen: Promise<Seen>[] = [];
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  socket.on('error', () => undefined);
  Object.assign(socket, { setTimeout: () => socket, destroySoon: () => socket.destroy() });
  server.on('request', (req, res) => {
    seen.push(seenIn(req));
    res.end();
  });
  server.on('clientError', () => socket.destroy());
  server.emit('connection', socket);
  // What stands behind shows where the first one has ended.
  socket.push(Buffer.from(`${text}GET /behind HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1'));
  for (let turns = 0; turns < 20 && seen.length < 2 && !socket.destroyed; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const all = await Promise.all(seen);
  socket.destroy();
  return all;
}

async function seenIn(req: IncomingMessage): Promise<Seen> {
  const { method, url: target, httpVersion, rawHeaders: headers } = req;
  return { method, target, httpVersion, headers, body: (await buffer(req)).toString('latin1') };
}

const host = 'Host: x\r\n';

describe('a request in one piece', () => {
  it('is read with all there is in it', () => {
    const text = `POST /a?b=%20c HTTP/1.1\r\n${host}x-Y:  1, 2\r\nContent-Length: 4\r\n\r\n{"\xfc"`;
    const { head, body } = whole(text) ?? {};
    expect(head).toMatchObject({ method: 'POST', target: '/a?b=%20c', httpVersion: '1.1' });
    expect(head?.headers.flat).toEqual(['Host', 'x', 'x-Y', '1, 2', 'Content-Length', '4']);
    expect(body?.toString('latin1')).toBe('{"\xfc"');
  });

  it.each([
    ['of another version', `GET / HTTP/1.0\r\n${host}\r\n`],
    ['to a whole URL', `GET http://x/ HTTP/1.1\r\n${host}\r\n`],
    ['with another verb', `PATCH / HTTP/1.1\r\n${host}\r\n`],
    ['without an end', `GET / HTTP/1.1\r\n${host}`],
    ['with lines that end in LF alone', 'GET / HTTP/1.1\nHost: x\n\n'],
    ['with a line that goes on', `GET / HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`],
    ['with a blank before a colon', `GET / HTTP/1.1\r\n${host}A : b\r\n\r\n`],
    ['with an empty value', `GET / HTTP/1.1\r\n${host}A:\r\n\r\n`],
    ['with a control character', `GET / HTTP/1.1\r\n${host}A: b\x01\r\n\r\n`],
    ['with more than ASCII in its head', `GET / HTTP/1.1\r\n${host}A: \xfc\r\n\r\n`],
    ['without a Host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n'],
    ['with two', `GET / HTTP/1.1\r\n${host}${host}\r\n`],
    [
      'with two lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\ncontent-length: 1\r\n\r\na`,
    ],
    ['with a length that is none', `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`],
    ['that lacks a byte', `POST / HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\na`],
    ['with something behind it', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\nab`],
    ['in chunks', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['that wants to be asked on', `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\n\r\n`],
    ['that is the last', `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
    ['that wants to speak otherwise', `GET / HTTP/1.1\r\n${host}Upgrade: h2c\r\n\r\n`],
    ['with a long head', `GET / HTTP/1.1\r\n${host}A: ${'b'.repeat(MAX_HEAD)}\r\n\r\n`],
  ])('%s is left to the parser of node', (_what, text) => {
    expect(whole(text)).toBeUndefined();
  });

  const method = fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'get', 'PATCH');
  const printable = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7f }).map(charOf),
    maxLength: 12,
  });
  const anything = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map(charOf), maxLength: 6 });
  const target = fc.oneof(
    { weight: 8, arbitrary: printable.map((rest) => `/${rest.replaceAll(' ', '+')}`) },
    { weight: 1, arbitrary: anything.map((rest) => `/${rest}`) },
  );
  const name = fc.constantFrom(
    ...['A', 'x-b', 'Cookie', 'Connection', 'TE', 'Keep-Alive', 'Upgrade', 'Content-Type', 'Host'],
    ...['Authorization', 'transfer-encoding', 'Trailer', 'Accept', 'A b', '', "!#$%&'*+-.^_`|~0"],
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: printable },
    {
      weight: 2,
      arbitrary: fc.constantFrom('keep-alive', 'close', 'chunked', ' x', 'x ', '\tx', ''),
    },
    { weight: 1, arbitrary: anything },
  );
  const separator = fc.constantFrom(': ', ': ', ': ', ':', ':\t', ' : ');
  const line = fc.tuple(name, separator, value).map((parts) => parts.join(''));
  const body = fc.constantFrom(
    '',
    '',
    'a',
    'body of a request',
    'GET / HTTP/1.1\r\nHost: y\r\n\r\n',
  );
  const request = fc
    .record({
      method,
      target,
      lines: fc.array(line, { maxLength: 4 }),
      body,
      off: fc.integer({ min: -1, max: 9 }),
    })
    .map((parts) => {
      const length = parts.body.length + (parts.off < 0 ? -1 : 0);
      const sized = parts.body === '' ? [] : [`Content-Length: ${length}`];
      const lines = ['Host: x', ...parts.lines, ...sized].map((one) => `${one}\r\n`).join('');
      return `${parts.method} ${parts.target} HTTP/1.1\r\n${lines}\r\n${parts.body}`;
    });

  it('means the same to the parser of node, which would take it, and ends where that sees its end', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(request, async (text) => {
        const read = whole(text);
        if (read === undefined) return;
        taken += 1;
        const { head, body: bytes } = read;
        const [first, second] = await seenByNode(text);
        expect(first).toEqual({
          ...{ method: head.method, target: head.target, httpVersion: head.httpVersion },
          headers: head.headers.flat,
          body: bytes.toString('latin1'),
        });
        expect(second?.target).toBe('/behind');
      }),
      { numRuns: 600 },
    );
    expect(taken).toBeGreaterThan(60);
  });
});

function charOf(code: number): string {
  return String.fromCharCode(code);
}
