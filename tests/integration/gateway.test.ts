import { afterEach, describe, expect, it } from '@jest/globals';
import { type Echo, eventually, get, openings, post } from '../helpers/gateway.ts';
import { within } from '../helpers/patience.ts';

const { open, dial, closeAll } = openings();
afterEach(closeAll);

function echoed(body: string): Echo {
  return JSON.parse(body) as Echo;
}

describe('a request', () => {
  it('reaches the handler as it was sent', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(
      post(
        '{"a": "ü"}',
        ['X-One: 1', 'authorization: bearer abc', 'x-one: 2'],
        '/a/b?c=d e'.replace(' ', '%20'),
      ),
    );
    const { status, head, body } = await client.answer();
    expect(status).toBe(200);
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      expect.stringMatching(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Content-Type: application/json',
    ]);
    expect(echoed(body)).toEqual({
      method: 'POST',
      target: '/a/b?c=d%20e',
      version: '1.1',
      headers: [
        ['Host', 'test'],
        ['X-One', '1'],
        ['authorization', 'bearer abc'],
        ['x-one', '2'],
        ['Content-Length', '11'],
      ],
      authorization: 'bearer abc',
      bodyBytes: 11,
      body: '{"a": "ü"}',
    });
  });

  it('may come in 64 segments', async () => {
    const { port } = await open();
    const client = await dial(port);
    const text = post(`{"padding": "${'x'.repeat(500)}"}`);
    const size = Math.ceil(text.length / 64);
    for (let at = 0; at < text.length; at += size) {
      client.write(text.slice(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { body } = await client.answer();
    expect(echoed(body).bodyBytes).toBe(515);
  });

  it('may be chunked', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(
      'POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n',
    );
    expect(echoed((await client.answer()).body).body).toBe('abcde');
  });

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])('may be %s', async (method) => {
    const { port } = await open();
    const client = await dial(port);
    client.write(`${method} /x HTTP/1.1\r\nHost: t\r\n\r\n`);
    expect(echoed((await client.answer()).body).method).toBe(method);
  });

  it('is answered with the same head and no body when it is HEAD', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/big/5000'));
    const full = await client.answer();
    const other = await dial(port);
    other.write(get('/big/5000').replace('GET', 'HEAD'));
    const { head } = await other.answer({ bodyless: true });
    // The next second may have begun between the two.
    const undated = (text: string) => text.replace(/^Date: \S.* GMT\r$/m, 'Date: now\r');
    expect(undated(head)).toBe(undated(full.head));
    other.write(get('/big/10'));
    const text = await eventually('the next answer', () =>
      other.received.toString().endsWith('xxxxxxxxxx') ? other.received.toString() : undefined,
    );
    expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    expect(text).not.toContain('xxxxxxxxxxx');
  });

  it('that expects 100-continue gets it, then its answer', async () => {
    const { port } = await open();
    const client = await dial(port);
    const [head, body] = post('hello', ['Expect: 100-continue']).split('\r\n\r\n');
    client.write(`${head}\r\n\r\n`);
    expect((await client.answer()).status).toBe(100);
    client.write(body ?? '');
    const [, final] = await client.answers(2);
    expect(final?.status).toBe(200);
    expect(echoed(final?.body ?? '').body).toBe('hello');
  });

  it('that expects anything else is refused with 417', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write('POST / HTTP/1.1\r\nHost: t\r\nExpect: a-miracle\r\nContent-Length: 5\r\n\r\n');
    const { status, body } = await client.answer();
    expect(status).toBe(417);
    expect(JSON.parse(body)).toMatchObject({ status: false });
    await client.untilClosed();
  });

  it('that is pipelined is answered in order, and handled after the one before it', async () => {
    const { port, requests } = await open();
    const client = await dial(port);
    client.write(post('1', [], '/slow/80') + post('2') + get('/slow/20') + post('4'));
    await eventually('the first request', () => requests.length === 1);
    const answers = await client.answers(4);
    expect(answers.map(({ body }) => echoed(body).body)).toEqual(['1', '2', '', '4']);
    expect(requests).toHaveLength(4);
  });

  it('is answered when thousands come pipelined', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/x').repeat(3000));
    const answers = await client.answers(3000);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  it('keeps the connection open, unless it says close', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get());
    await client.answers(1);
    client.write(get('/x', ['Connection: close']));
    const [first, last] = await client.answers(2);
    expect(first?.head).not.toMatch(/connection/i);
    expect(last?.head).toMatch(/^Connection: close$/m);
    await client.untilClosed();
  });

  it('after one that says close is not run', async () => {
    const { port, requests } = await open();
    const client = await dial(port);
    client.write(get('/slow/20', ['Connection: close']) + get('/x'));
    await client.untilClosed();
    expect((await client.answers(1)).map(({ status }) => status)).toEqual([200]);
    expect(requests).toHaveLength(1);
  });

  it('is handled even if its client hangs up right after sending it', async () => {
    const { port, requests } = await open();
    for (let i = 0; i < 100; i += 1) {
      const client = await dial(port);
      client.socket.end(post('x'.repeat(i * 100)));
    }
    await eventually('all requests', () => requests.length === 100);
    const lengths = requests.map(({ body }) => body.length);
    expect(lengths.toSorted((a, b) => a - b)).toEqual(lengths.map((_, i) => i * 100));
  });

  it('of HTTP/1.0 is answered and the connection closed, unless it asks for keep-alive', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write('GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect((await client.answer()).head).toMatch(/^Connection: keep-alive$/m);
    client.write('GET /x HTTP/1.0\r\n\r\n');
    await client.answers(2);
    await client.untilClosed();
  });

  it('that is aborted tells the handler', async () => {
    const { port, requests, aborted } = await open();
    const client = await dial(port);
    client.write(get('/slow/200'));
    await eventually('the request', () => requests.length === 1);
    client.socket.destroy();
    await eventually('the signal', () => aborted() === 1);
  });
});

describe('a body', () => {
  it('of 64 MiB is taken in a time that fits its size', async () => {
    const { port } = await open();
    const client = await dial(port);
    const bytes = 64 * 1024 * 1024;
    client.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.write(Buffer.alloc(bytes, 'y'));
    const { status, body } = await client.answer({ withinMs: 15_000 });
    expect(status).toBe(200);
    expect(echoed(body).bodyBytes).toBe(bytes);
  });

  it.each([
    ['declared', 'Content-Length: 1001\r\n\r\n'],
    ['chunked', `Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'z'.repeat(1001)}\r\n`],
  ])('that is too large is refused with 413 (%s)', async (_how, rest) => {
    const { port, requests } = await open({ limits: { maxBodyBytes: 1000 } });
    const client = await dial(port);
    client.write(`POST / HTTP/1.1\r\nHost: t\r\n${rest}`);
    const { status, head, body } = await client.answer();
    expect(status).toBe(413);
    expect(head).toMatch(/^Connection: close$/m);
    expect(JSON.parse(body)).toMatchObject({ status: false });
    await client.untilClosed();
    expect(requests).toHaveLength(0);
  });

  it('that is too large and sent all the same does not cost the answer', async () => {
    const { port } = await open({ limits: { maxBodyBytes: 1000 } });
    const client = await dial(port);
    const bytes = 20 * 1024 * 1024;
    client.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.write(Buffer.alloc(bytes, 'y'));
    expect((await client.answer()).status).toBe(413);
    await client.untilClosed();
  });
});

describe('an answer', () => {
  it('of many megabytes arrives whole, the connection closing after it or not', async () => {
    const { port } = await open();
    const client = await dial(port);
    const bytes = 20_000_001;
    client.write(get(`/big/${bytes}`));
    expect((await client.answer()).body).toHaveLength(bytes);
    client.write(get(`/big/${bytes}`, ['Connection: close']));
    await client.untilClosed();
    expect((await client.answers(2)).map(({ body }) => body.length)).toEqual([bytes, bytes]);
  });

  it('may be a stream', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/stream'));
    const { head, body } = await client.answer();
    expect(head).toMatch(/^Transfer-Encoding: chunked$/m);
    expect(body).toBe('4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n');
  });

  it('that is a stream shorter than it said breaks the connection off', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/short'));
    await client.untilClosed();
    expect(client.received.toString()).not.toContain('Connection: close');
  });

  it.each(['/throw', '/badheader'])('is 500 when the handler fails (%s)', async (target) => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get(target));
    const { status, body } = await client.answer();
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ status: false });
    const other = await dial(port);
    other.write(get('/x'));
    expect((await other.answer()).status).toBe(200);
  });

  it('can be the last of its connection', async () => {
    const { port, requests } = await open();
    const client = await dial(port);
    client.write(get('/quit') + get('/x'));
    expect((await client.answer()).head).toMatch(/^Connection: close$/m);
    await client.untilClosed();
    expect(await client.answers(1)).toHaveLength(1);
    expect(requests).toHaveLength(1);
  });
});

describe('close', () => {
  it('frees the port, closes idle connections and lets a running answer out', async () => {
    const { port, gateway, requests } = await open();
    const idle = await dial(port);
    idle.write(get());
    await idle.answer();
    const silent = await dial(port);
    const busy = await dial(port);
    busy.write(get('/slow/150'));
    await eventually('the request', () => requests.length === 2);
    await gateway.close(2_000);
    expect((await busy.answer()).status).toBe(200);
    for (const client of [idle, silent, busy]) await client.untilClosed(1_000);
    const again = await open({ port });
    expect(again.port).toBe(port);
  });

  it('does not wait longer than its grace', async () => {
    const { port, gateway, requests } = await open();
    const client = await dial(port);
    client.write(get('/slow/6000'));
    await eventually('the request', () => requests.length === 1);
    const startedAt = performance.now();
    await gateway.close(100);
    expect(performance.now() - startedAt).toBeLessThan(within(4_000));
    await client.untilClosed(1_000);
  });
});

describe('openGateway', () => {
  it('says in one sentence which port is in use', async () => {
    const { port } = await open();
    await expect(open({ port })).rejects.toMatchObject({
      code: 'unavailable',
      message: `Cannot listen on tcp://127.0.0.1:${port}: the port is in use.`,
    });
  });

  it('says which address this machine does not have', async () => {
    await expect(open({ ip: '192.0.2.1' })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Cannot listen on tcp://192.0.2.1:0: this machine has no such address.',
    });
  });

  it('takes a host name', async () => {
    const { port, gateway } = await open({ ip: 'localhost' });
    expect(gateway.endpoint).toMatch(new RegExp(`:${port}$`));
  });
});
