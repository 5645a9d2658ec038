import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openGateway } from '../../lib/gateway/index.ts';
import type { GatewayReply } from '../../lib/gateway/types.ts';
import { silentLogger } from '../../lib/log.ts';
import { eventually, get, openings, post, refusal } from '../helpers/gateway.ts';

const { open, dial, closeAll } = openings();
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  await closeAll();
  for (const part of opened.splice(0).reverse()) await part.close();
});

const REPLIES: Readonly<Record<string, () => GatewayReply>> = {
  bytes: () => ({ status: 200, headers: [['X-A', '1']], body: Buffer.from([0xff, 0x00, 0x80]) }),
  text: () => ({ status: 201, headers: [['X-A', '1']], body: 'Grüße ✓' }),
  'long text': () => ({ status: 200, headers: [], body: 'ü✓'.repeat(60_000) }),
  'a header that is no ASCII': () => ({ status: 200, headers: [['X-A', 'é']], body: 'ü' }),
  'no body': () => ({ status: 204, headers: [['X-A', '1']], body: '' }),
  'an empty body': () => ({ status: 200, headers: [], body: '' }),
  'a stream': () => ({
    status: 200,
    headers: [],
    body: Readable.from(['a', 'ü', Buffer.from('c')]),
  }),
  'an empty stream': () => ({ status: 200, headers: [], body: Readable.from([]) }),
  'a stream with an empty piece': () => ({
    ...{ status: 200, headers: [], body: Readable.from(['a', Buffer.alloc(0), 'b']) },
  }),
  'nothing new': () => ({ status: 304, headers: [['ETag', '"1"']], body: '' }),
  'nothing new, as a stream': () => ({ status: 304, headers: [], body: Readable.from(['a']) }),
  'a stream with a length': () => ({
    ...{ status: 200, headers: [['Content-Length', '3']], body: Readable.from(['a', 'bc']) },
  }),
  'the last answer': () => ({ status: 200, headers: [], body: 'bye', closeAfter: true }),
  'a head that cannot be sent': () => ({ status: 200, headers: [['X-A', 'a\nb']], body: 'x' }),
};

async function openReplies() {
  const gateway = await openGateway(
    { ip: '127.0.0.1', port: 0, protocol: 'tcp', rawmode: true, log: silentLogger(), refusal },
    async ({ target }) => REPLIES[decodeURIComponent(target.slice(1))]?.() ?? refusal(404, 'no'),
  );
  opened.push(gateway);
  return gateway;
}

/** All that comes back on a connection, until it says `last` or is closed by the server. */
async function allOf(port: number, segments: readonly string[], last: string): Promise<string> {
  const client = await dial(port);
  for (const segment of segments) {
    client.write(segment);
    // Segments that are sent at once may come as one.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await eventually('the answers', () => client.closed || client.received.includes(last));
  // Of two answers the second may come a second later.
  return client.received.toString('latin1').replaceAll(/^Date: \S.* GMT\r$/gm, 'Date: now\r');
}

describe('a request in one piece', () => {
  const cases = Object.keys(REPLIES).flatMap((what) =>
    ['GET', 'HEAD'].map((method) => [method, what] as const),
  );
  it.each(cases)('has the same answer as one in two pieces: %s of %s', async (method, what) => {
    const { port } = await openReplies();
    const line = `${method} /${encodeURIComponent(what)} HTTP/1.1\r\n`;
    const end = get('/nothing%20there');
    const whole = await allOf(port, [`${line}Host: x\r\n\r\n`, end], 'message":"no"');
    const parted = await allOf(port, [line, 'Host: x\r\n\r\n', end], 'message":"no"');
    expect(whole).toBe(parted);
    expect(whole).toMatch(/^HTTP\/1\.1 /);
  });

  it('is answered with no more than there is, and the connection ends, when a stream ends too early', async () => {
    const { port } = await open();
    const client = await dial(port);
    client.write(get('/short'));
    await client.untilClosed();
    expect(String(client.received)).not.toContain('HTTP/1.1 500');
  });

  it('is answered in its turn, whatever comes before and after it on its connection', async () => {
    const { port } = await open();
    const client = await dial(port);
    const asked: string[] = [];
    for (const [i, isParted] of [false, false, true, false, true, false].entries()) {
      const text = post(`{"n":${i}}`, [], `/${i}`);
      asked.push(`/${i}`);
      client.write(isParted ? text.slice(0, 30) : text);
      if (isParted) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        client.write(text.slice(30));
      }
      const answers = await client.answers(i + 1);
      expect(answers.map(({ body }) => targetIn(body))).toEqual(asked);
    }
  });

  it('waits for the one before it', async () => {
    const { port, requests } = await open();
    const client = await dial(port);
    client.write(get('/slow/100'));
    await eventually('the first', () => requests.length === 1);
    client.write(get('/second'));
    client.write(get('/third'));
    const answers = await client.answers(3);
    const targets = ['/slow/100', '/second', '/third'];
    expect(answers.map(({ body }) => targetIn(body))).toEqual(targets);
  });

  it('is refused by its head, and its connection goes on', async () => {
    const admit = async (head: { readonly target: string }) =>
      head.target === '/no' ? refusal(401, 'not you') : undefined;
    const { port, requests } = await open({ admit });
    const client = await dial(port);
    client.write(post('me', [], '/no'));
    expect(await client.answer()).toMatchObject({
      status: 401,
      body: expect.stringContaining('not you'),
    });
    client.write(get('/yes'));
    expect((await client.answers(2))[1]?.status).toBe(200);
    expect(requests.map(({ target }) => target)).toEqual(['/yes']);
  });

  it('is not run when the server was told to stop before it was let in', async () => {
    let letIn = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    let isAsked = false;
    const admit = async () => {
      isAsked = true;
      await asked;
      return undefined;
    };
    const { port, gateway, requests } = await open({ admit });
    const client = await dial(port);
    client.write(post('{}'));
    await eventually('the question', () => isAsked);
    await gateway.close(100);
    letIn();
    await new Promise((resolve) => setImmediate(resolve));
    expect(requests).toEqual([]);
  });

  it('whose client has gone is known to be for nobody', async () => {
    const { port, aborted, requests } = await open();
    const client = await dial(port);
    client.write(get('/slow/5000'));
    await eventually('the request', () => requests.length === 1);
    client.socket.destroy();
    await eventually('the end', () => aborted() === 1);
  });

  it('counts for the connection: one that stays silent before is told so, one after is closed', async () => {
    const limits = { headersTimeoutMs: 300, keepAliveTimeoutMs: 300 };
    const { port } = await open({ limits });
    const silent = await dial(port);
    expect((await silent.answer()).status).toBe(408);
    const served = await dial(port);
    served.write(get('/x'));
    expect((await served.answer()).status).toBe(200);
    await served.untilClosed();
  });
});

/** A gateway whose handler gives this answer, and a client of it. */
async function answering(body: GatewayReply['body'], headers: GatewayReply['headers'] = []) {
  const gateway = await openGateway(
    { ip: '127.0.0.1', port: 0, protocol: 'tcp', rawmode: true, log: silentLogger(), refusal },
    async () => ({ status: 200, headers, body }),
  );
  opened.push(gateway);
  return { gateway, client: await dial(gateway.port) };
}

describe('a stream that answers a request in one piece', () => {
  it('breaks the connection off when it fails, so that no part is taken for the whole', async () => {
    let fail = (): void => undefined;
    const failure = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const fails = Readable.from(
      (async function* () {
        yield 'first';
        await failure;
        throw new Error('the disk is gone');
      })(),
    );
    const { client } = await answering(fails);
    client.write(get());
    await eventually('the beginning', () => String(client.received).includes('first'));
    fail();
    await client.untilClosed();
    const text = String(client.received);
    expect(text).toContain('5\r\nfirst\r\n');
    expect(text).not.toContain('0\r\n\r\n');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('is left alone when its client has gone', async () => {
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          yield 'more';
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })(),
    );
    const { client } = await answering(endless);
    client.write(get());
    await eventually('some of it', () => client.received.length > 200);
    client.socket.destroy();
    await eventually('its end', () => endless.destroyed);
  });

  it.each([
    ['in one piece', (text: string) => [text]],
    ['in two', (text: string) => [text.slice(0, 9), text.slice(9)]],
  ])('is closed when its head cannot be sent: %s', async (_how, cut) => {
    const body = Readable.from(['a']);
    const { client } = await answering(body, [['X-A', 'a\nb']]);
    for (const piece of cut(get())) {
      client.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await client.answer()).status).toBe(500);
    await eventually('its end', () => body.destroyed);
  });

  it('is read no faster than its client reads, and comes whole in the end', async () => {
    const MIB = 1024 * 1024;
    const total = 32 * MIB;
    let taken = 0;
    const long = Readable.from(
      (function* () {
        for (; taken < total; taken += MIB) yield Buffer.alloc(MIB, 'x');
      })(),
    );
    const { client } = await answering(long, [['Content-Length', String(total)]]);
    client.socket.pause();
    client.write(get());
    await eventually('the beginning', () => taken > 0);
    let before = -1;
    const isStill = () => {
      const is = before === taken;
      before = taken;
      return is;
    };
    await eventually('a pause', isStill, {
      between: () => new Promise((resolve) => setTimeout(resolve, 500)),
    });
    // What ZeroMQ and the two sockets hold.
    expect(taken).toBeLessThan(total / 2);
    client.socket.resume();
    await eventually('all of it', () => client.socket.bytesRead > total, { withinMs: 60_000 });
  });

  it('keeps a server that stops no longer than it takes', async () => {
    let end = (): void => undefined;
    const open = new Promise<void>((resolve) => {
      end = resolve;
    });
    const body = Readable.from(
      (async function* () {
        yield 'a';
        await open;
        yield 'b';
      })(),
    );
    const { client, gateway } = await answering(body);
    client.write(get());
    await eventually('the beginning', () => String(client.received).includes('1\r\na'));
    const closed = gateway.close(600_000);
    end();
    await closed;
    await client.untilClosed();
    expect(String(client.received)).toContain('1\r\nb\r\n0\r\n\r\n');
  });
});

const targetIn = (body: string) => (JSON.parse(body) as { target: string }).target;
