import { describe, expect, it } from '@jest/globals';
import { PmanClient, type PmanClientOptions } from '../../../../lib/client/index.ts';

interface Sent {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A client whose requests get these answers, one after the other, and what it has sent. */
function clientOf(answers: readonly (() => Response)[], options: Partial<PmanClientOptions> = {}) {
  const sent: Sent[] = [];
  const client = new PmanClient({
    url: 'http://pman/',
    ...options,
    fetch: async (url, { headers }) => {
      sent.push({ url, headers });
      const answer = answers[sent.length - 1];
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer();
    },
  });
  return { client, sent };
}

/** A stream that gives its text and then breaks off. */
function cut(text: string): Response {
  let isFirst = true;
  const stream = new ReadableStream({
    pull(controller) {
      if (isFirst) controller.enqueue(new TextEncoder().encode(text));
      else controller.error(new TypeError('terminated'));
      isFirst = false;
    },
  });
  return new Response(stream);
}

const problem = (status: number, headers = {}) =>
  new Response(JSON.stringify({ status, code: 'busy', detail: 'not now', hint: 'wait' }), {
    ...{ status, headers },
  });
const job = () => new Response('{"id":"j"}');

describe('PmanClient', () => {
  it('says of a token that cannot be sent that it is that, and sends nothing', async () => {
    const { client, sent } = clientOf([], { token: 'a\nb' });
    const message = 'the token has a character that cannot be sent';
    await expect(client.job('j')).rejects.toMatchObject({ code: 'bad_request', message });
    expect(sent).toEqual([]);
  });

  it('writes lists and labels into the URL as the server reads them', async () => {
    const { client, sent } = clientOf([() => new Response('{"jobs":[],"next":null}')]);
    const asked = {
      state: ['failed', 'lost'] as const,
      label: ['a=1,2', 'b='],
      since: new Date(0),
    };
    for await (const job of client.jobs({ limit: 5, ...asked } as object)) expect(job).toBe('none');
    expect(sent[0]?.url).toBe(
      'http://pman/api/v2/jobs?limit=5&state=failed%2Clost&label=a%3D1%2C2&label=b%3D&since=1970-01-01T00%3A00%3A00.000Z',
    );
  });

  it('asks anew when it was too slow for a stream, and says what the server says then', async () => {
    const { client, sent } = clientOf([
      () => cut('id: 3\n\nevent: dropped\ndata: {"code":"gone"}\n\n'),
      () => problem(410),
    ]);
    await expect(client.events().next()).rejects.toMatchObject({ status: 410, hint: 'wait' });
    expect(sent[1]?.url).toBe('http://pman/api/v2/events?after=3');
  });

  it('goes on where a stream of events was before its first event', async () => {
    const event = (seq: number) => `id: ${seq}\nevent: ended\ndata: {"seq":${seq}}\n\n`;
    const { client, sent } = clientOf([
      () => cut('id: 7\n\n'),
      () => cut(`${event(8)}id: 9\nda`),
      () => cut(event(9)),
    ]);
    const events = client.events({ jid: 'a b' });
    expect(await events.next()).toMatchObject({ value: { seq: 8 } });
    expect(await events.next()).toMatchObject({ value: { seq: 9 } });
    await events.return(undefined);
    expect(sent.map(({ url }) => url)).toEqual([
      'http://pman/api/v2/events?jid=a+b',
      'http://pman/api/v2/events?jid=a+b&after=7',
      'http://pman/api/v2/events?jid=a+b&after=8',
    ]);
  });

  it('asks again when the server says when, and when a proxy finds no server', async () => {
    const page = () => new Response('<h1>Bad Gateway</h1>', { status: 502 });
    const { client, sent } = clientOf([() => problem(503, { 'Retry-After': '0' }), page, job]);
    expect(await client.job('j')).toEqual({ id: 'j' });
    expect(sent.length).toBe(3);
  });

  it('does not ask again when the server does not say when, or is not to be asked twice', async () => {
    const without = clientOf([() => problem(503), job]);
    await expect(without.client.job('j')).rejects.toMatchObject({
      ...{ code: 'busy', status: 503, message: 'not now', hint: 'wait' },
    });
    const kill = clientOf([() => problem(503, { 'Retry-After': '0' }), job]);
    await expect(kill.client.kill('j')).rejects.toMatchObject({ retryAfterSeconds: 0 });
    const stranger = clientOf([() => new Response('<h1>Hi</h1>')]);
    await expect(stranger.client.job('j')).rejects.toMatchObject({ code: 'bad_answer' });
  });

  it('asks for the token each time, and keeps the folder of its address', async () => {
    let count = 0;
    const token = async () => `t${++count}`;
    const { client, sent } = clientOf([job, job], { url: 'http://host/pman/', token });
    await client.job('a/b');
    await client.job('c');
    expect(sent).toEqual([
      { url: 'http://host/pman/api/v2/jobs/a%2Fb', headers: { Authorization: 'Bearer t1' } },
      { url: 'http://host/pman/api/v2/jobs/c', headers: { Authorization: 'Bearer t2' } },
    ]);
  });

  it('names each job by a key of its own, and by the one that it is given', async () => {
    const { client, sent } = clientOf([job, job, job]);
    await client.run(':');
    await client.run(':');
    await client.run(':', { key: 'mine' });
    const [one, other, own] = sent.map(({ headers }) => headers['Idempotency-Key']);
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(other).not.toBe(one);
    expect(own).toBe('mine');
  });
});
