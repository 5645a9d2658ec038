import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, get, openings, post } from '../helpers/gateway.ts';
import { within } from '../helpers/patience.ts';

const { open, dial, dialAll, closeAll } = openings();
afterEach(closeAll);

/** The time a fresh connection takes to be answered, in milliseconds. */
async function timeToServe(port: number): Promise<number> {
  const startedAt = performance.now();
  const client = await dial(port);
  client.write(get('/x'));
  expect((await client.answer()).status).toBe(200);
  client.socket.destroy();
  return performance.now() - startedAt;
}

/** Whether the kernel still has the server's end of that connection. */
function isEstablished(serverPort: number, clientPort: number): boolean {
  const hex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ends = new RegExp(`${hex(serverPort)} [0-9A-F]{8}${hex(clientPort)} 01 `);
  return ends.test(readFileSync('/proc/net/tcp', 'latin1'));
}

const host = 'Host: t\r\n';
const tlsHello = Buffer.from(
  '16030100c8010000c40303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0000',
  'hex',
);

const malformed: readonly (readonly [string, string | Buffer])[] = [
  ['words', 'hello there\r\n\r\n'],
  ['only a line end and words', '\r\n\r\nfoo\r\n\r\n'],
  ['an unknown method', `FROB / HTTP/1.1\r\n${host}\r\n`],
  ['no version', 'POST /api/v1/cmd\r\n\r\n{}'],
  ['a wrong version', `GET / HTTP/9.9\r\n${host}\r\n`],
  ['bare line feeds', 'POST / HTTP/1.1\nHost: x\n\n{}'],
  ['a blank before the colon', `GET / HTTP/1.1\r\n${host}X : 1\r\n\r\n`],
  ['a folded header', `GET / HTTP/1.1\r\n${host}X: 1\r\n 2\r\n\r\n`],
  ['a bare CR in a header', `GET / HTTP/1.1\r\n${host}X: 1\rY: 2\r\n\r\n`],
  ['a NUL in a header', `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`],
  ['a header without a name', `GET / HTTP/1.1\r\n${host}: 1\r\n\r\n`],
  ['a header without a colon', `GET / HTTP/1.1\r\n${host}what\r\n\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`],
  ['a control character in the target', `GET /\x01 HTTP/1.1\r\n${host}\r\n`],
  ['a length that is no number', `POST / HTTP/1.1\r\n${host}Content-Length: x\r\n\r\nabc`],
  ['a negative length', `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\nabc`],
  ['a signed length', `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\nabc`],
  [
    'a length beyond all numbers',
    `POST / HTTP/1.1\r\n${host}Content-Length: ${'9'.repeat(40)}\r\n\r\nabc`,
  ],
  ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
  [
    'two equal lengths',
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  ],
  ['a list of lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\nabc`],
  [
    'length and chunked',
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'chunked and length',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
  ],
  [
    'an encoding after chunked',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  ],
  ['an unknown encoding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  [
    'chunked twice',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  ],
  [
    'a chunk size that is no number',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`,
  ],
  [
    'a chunk size with 0x',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`,
  ],
  [
    'a chunk longer than its size',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n`,
  ],
  [
    'a chunk size beyond all numbers',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\nabc`,
  ],
  [
    'a chunk size ended by a line feed',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n`,
  ],
  ['a TLS hello', tlsHello],
  ['binary', Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 97) % 256))],
  ['a ZeroMQ greeting', Buffer.from('ff00000000000000017f0300', 'hex')],
];

describe('input that is no acceptable HTTP', () => {
  it('is refused with 400 and the connection closed', async () => {
    const { port, requests } = await open();
    const outcome = async (bytes: string | Buffer): Promise<string> => {
      const client = await dial(port);
      client.write(bytes);
      const { status, head, body } = await client.answer();
      expect(JSON.parse(body)).toMatchObject({ status: false });
      await client.untilClosed();
      const { length } = await client.answers(1);
      const closes = /^Connection: close$/m.test(head);
      return `${length} answer, ${status}, ${closes ? 'says that it closes' : 'does not say so'}`;
    };
    const outcomes = await Promise.all(
      malformed.map(async ([name, bytes]) => [name, await outcome(bytes)] as const),
    );
    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(malformed.map(([name]) => [name, '1 answer, 400, says that it closes'])),
    );
    expect(requests).toHaveLength(0);
    expect(await timeToServe(port)).toBeLessThan(within(500));
  });

  it('is closed when it is the preface of HTTP/2', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await client.untilClosed();
  });

  it('does no harm 200 times over', async () => {
    const { port, requests } = await open();
    for (let round = 0; round < 10; round += 1) {
      const bad = await Promise.all(Array.from({ length: 20 }, () => dial(port)));
      bad.forEach((client, i) => {
        client.write(malformed[(round * 20 + i) % malformed.length]?.[1] ?? 'x\r\n\r\n');
      });
      for (const client of bad) expect((await client.answer()).status).toBe(400);
      for (const client of bad) client.socket.destroy();
    }
    expect(await timeToServe(port)).toBeLessThan(within(500));
    expect(requests).toHaveLength(1);
  });

  it('after a good request leaves that one its answer', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(`${get('/slow/50')}garbage\r\n\r\n`);
    const answers = await client.answers(2);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    await client.untilClosed();
  });

  it('with a head that is too large is refused with 431', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/x', [`X-Large: ${'a'.repeat(200_000)}`]));
    expect((await client.answer()).status).toBe(431);
    await client.untilClosed();
  });

  it('with a head of just under 16 KiB is taken', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/x', [`X-Large: ${'a'.repeat(15_900)}`]));
    expect((await client.answer()).status).toBe(200);
  });

  it('is 405 for CONNECT, and an Upgrade is answered as if it were not there', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
    expect((await client.answer()).status).toBe(405);
    await client.untilClosed();
    const other = await dial(port);
    other.write(get('/x', ['Connection: Upgrade', 'Upgrade: websocket']));
    expect((await other.answer()).status).toBe(200);
  });

  it('after a body longer than its Content-Length is refused, the request before it is not', async () => {
    const { port, requests } = await open();
    const client = await dial(port);
    client.write(
      `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\n{"payload": {"action": "hello"}}`,
    );
    const answers = await client.answers(2);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(requests.map(({ body }) => body.toString())).toEqual(['{"pay']);
  });
});

describe('many clients', () => {
  it('are all answered: 500 connections at once', async () => {
    const { port } = await open();
    const all = dialAll(port, 500);
    all.forEach((client, i) => {
      client.write(post(`{"n": ${i}}`));
    });
    const answers = await Promise.all(all.map((client) => client.answer({ withinMs: 15_000 })));
    answers.forEach(({ body }, i) => {
      expect(JSON.parse(body)).toMatchObject({ body: `{"n": ${i}}` });
    });
  });

  it('that are half-open are closed in time, while others are served', async () => {
    const { port } = await open({
      limits: { headersTimeoutMs: 1_500, stallTimeoutMs: 1_500, requestTimeoutMs: 60_000 },
    });
    const halves = [
      '',
      'POST / HT',
      `POST / HTTP/1.1\r\n${host}Content-Le`,
      `POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nabc`,
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nab`,
    ];
    const all = dialAll(port, 200);
    all.forEach((client, i) => {
      const half = halves[i % halves.length];
      if (half) client.write(half);
    });
    await timeToServe(port);
    const times: number[] = [];
    await eventually('the half-open connections to be closed', () => all.every((c) => c.closed), {
      withinMs: 8_000,
      between: async () => {
        times.push(await timeToServe(port));
      },
    });
    times.sort((a, b) => a - b);
    expect(times[Math.floor(times.length * 0.9)]).toBeLessThan(within(100));
    const said = all.map((client) => client.received.toString('latin1').split('\r\n')[0]);
    expect(new Set(said)).toEqual(new Set(['HTTP/1.1 408 Request Timeout']));
  });

  it('that idle between requests are closed after the keep-alive time', async () => {
    const { port } = await open({ limits: { keepAliveTimeoutMs: 200 } });
    const client = await dial(port);
    client.write(get('/x'));
    await client.answer();
    await client.untilClosed();
    expect(await client.answers(1)).toHaveLength(1);
  });
});

describe('bodies', () => {
  it('are refused with 503 when too many bytes of them are held, until those are handled', async () => {
    const { port, requests } = await open({ limits: { maxHeldBytes: 100_000 } });
    const body = 'x'.repeat(60_000);
    const first = await dial(port);
    first.write(post(body, [], '/slow/300'));
    await eventually('the first request', () => requests.length === 1);
    const second = await dial(port);
    second.write(post(body));
    expect((await second.answer()).status).toBe(503);
    expect((await first.answer()).status).toBe(200);
    for (let round = 0; round < 5; round += 1) {
      const gone = await dial(port);
      gone.write(post(body).slice(0, -1));
      await eventually('the bytes to be on their way', () => gone.socket.bytesWritten > 60_000);
      gone.socket.destroy();
    }
    let status = 503;
    await eventually('room for a body again', () => status === 200, {
      between: async () => {
        const client = await dial(port);
        client.write(post(body));
        ({ status } = await client.answer());
      },
    });
  });
});

describe('bodies that are too much together', () => {
  it('are not all refused: what a refused one held is room for the others', async () => {
    const { port } = await open({ limits: { maxHeldBytes: 100_000 } });
    const message = post('x'.repeat(30_000));
    const clients = await Promise.all(Array.from({ length: 8 }, () => dial(port)));
    for (const client of clients) client.write(message.slice(0, 15_000));
    await eventually('the halves to be on their way', () =>
      clients.every(({ socket }) => socket.bytesWritten >= 15_000),
    );
    for (const client of clients) client.write(message.slice(15_000));
    const answers = await Promise.all(clients.map((client) => client.answer()));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 503]);
  });
});

describe('a slow reader', () => {
  it('gets all of its answer in the end, and holds up nobody', async () => {
    const { port } = await open();
    const bytes = 40_000_000;
    const client = await dial(port);
    client.socket.pause();
    client.write(get(`/big/${bytes}`));
    expect(await timeToServe(port)).toBeLessThan(within(500));
    expect(await timeToServe(port)).toBeLessThan(within(500));
    client.socket.resume();
    expect((await client.answer({ withinMs: 10_000 })).body).toHaveLength(bytes);
  });

  it('is dropped when it never reads', async () => {
    const { port } = await open({ limits: { writeTimeoutMs: 1_500 } });
    const client = await dial(port);
    client.write(get('/big/40000000'));
    await eventually('the first bytes', () => client.received.length > 0);
    client.socket.pause();
    const { localPort } = client.socket;
    if (localPort === undefined) throw new Error('the client has no port');
    expect(isEstablished(port, localPort)).toBe(true);
    await eventually('the server to drop it', () => !isEstablished(port, localPort), {
      withinMs: 10_000,
    });
    expect(await timeToServe(port)).toBeLessThan(within(500));
  });

  it('that asks for much at once is answered one after the other', async () => {
    const { port, requests } = await open();
    const client = await dial(port);
    client.write(get('/big/20000000').repeat(20));
    await eventually('the first bytes', () => client.received.length > 0);
    client.socket.pause();
    expect(await timeToServe(port)).toBeLessThan(within(500));
    expect(requests.length).toBeLessThan(10);
  });

  it('cannot make the server hoard requests that wait for their turn', async () => {
    const { port } = await open({ limits: { maxBodyBytes: 1_000_000 } });
    const client = await dial(port);
    client.socket.pause();
    const flood = Buffer.from(get('/slow/20').repeat(1000));
    const before = process.memoryUsage().rss;
    const feed = (): void => {
      while (!client.closed && client.socket.write(flood));
    };
    client.socket.on('drain', feed);
    feed();
    await client.untilClosed(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    expect(await timeToServe(port)).toBeLessThan(within(500));
  });
});
