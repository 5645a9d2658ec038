import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { contentOf } from '../../../../../lib/purl/http/bulkSocket.ts';
import { readText, send } from '../../../../../lib/purl/http/httpClient.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Answers each request with these bytes as they are, in two pieces, and closes the connection. */
async function serve(answer: string | Buffer, cutAt: number): Promise<URL> {
  const bytes = Buffer.from(answer);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(bytes.subarray(0, cutAt), () =>
        setImmediate(() => socket.end(bytes.subarray(cutAt))),
      );
    });
  });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const client = {
  connectTimeoutMs: 5000,
  retries: 0,
  unverifiedCerts: false,
  idleTimeoutMs: 5000,
  headers: [],
  givenHeaders: [],
};

const ask = async (answer: string | Buffer, cutAt = 0) =>
  send({ method: 'GET', url: await serve(answer, cutAt), bulk: true }, client);

const HEAD = 'HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n';
const BODY = '4\r\nabcd\r\n3\r\nefg\r\n0\r\nSum: 12\r\n\r\n';

describe('a bulk answer', () => {
  it.each(Array.from({ length: HEAD.length + BODY.length }, (_, i) => i))(
    'is read as a whole, with its trailers, when it comes in two pieces, the first of %d bytes',
    async (cutAt) => {
      const answer = await ask(HEAD + BODY, cutAt);
      expect([answer.statusCode, answer.headers.x]).toEqual([200, 'y']);
      expect(String(await buffer(contentOf(answer)))).toBe('abcdefg');
      expect(answer.trailers).toEqual({ sum: '12' });
    },
  );

  it('comes behind what says that the server is at work', async () => {
    const answer = await ask(`HTTP/1.1 102 Processing\r\n\r\n${HEAD}${BODY}`, 40);
    expect(String(await buffer(contentOf(answer)))).toBe('abcdefg');
  });

  it('is long, and taken slowly', async () => {
    const content = Buffer.alloc(5_000_000, 'some content ');
    const size = Buffer.from(`${content.length.toString(16)}\r\n`);
    const answer = await ask(
      Buffer.concat([Buffer.from(HEAD), size, content, Buffer.from('\r\n0\r\nSum: 9\r\n\r\n')]),
    );
    const pieces: Buffer[] = [];
    for await (const piece of contentOf(answer)) {
      pieces.push(piece as Buffer);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect(answer.trailers).toEqual({ sum: '9' });
  });

  it.each(['', '4\r\nab', '4\r\nabcd', '4\r\nabcd\r\n', '4\r\nabcd\r\n0\r\n'])(
    'fails when it breaks off behind %j',
    async (body) => {
      const answer = await ask(HEAD + body);
      await expect(buffer(contentOf(answer))).rejects.toThrow(/aborted|Premature close/);
    },
  );

  it('fails when it is not in chunks though it says so', async () => {
    const answer = await ask(`${HEAD}4\r\nabcdefgh\r\n0\r\n\r\n`, HEAD.length);
    await expect(buffer(contentOf(answer))).rejects.toThrow();
  });

  it.each([
    ['has its length', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg'],
    ['ends with the connection', 'HTTP/1.1 200 OK\r\n\r\nabcdefg'],
    ['is of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nabcdefg'],
    [
      'is a refusal',
      `HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nabcdefg\r\n0\r\n\r\n`,
    ],
  ])('is left to the HTTP parser when it %s', async (_how, text) => {
    const answer = await ask(text, 50);
    expect(contentOf(answer)).toBe(answer);
    expect(await readText(answer)).toBe('abcdefg');
  });
});
