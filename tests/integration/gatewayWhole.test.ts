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
  return client.received.toString('latin1');
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
      head.target === '/no' ? (sent: Buffer) => refusal(401, `not ${sent}`) : undefined;
    const { port, requests } = await open({ admit });
    const client = await dial(port);
    client.write(post('me', [], '/no'));
    expect(await client.answer()).toMatchObject({
      status: 401,
      body: expect.stringContaining('not me'),
    });
    client.write(get('/yes'));
    expect((await client.answers(2))[1]?.status).toBe(200);
    expect(requests.map(({ target }) => target)).toEqual(['/yes']);
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

const targetIn = (body: string) => (JSON.parse(body) as { target: string }).target;
