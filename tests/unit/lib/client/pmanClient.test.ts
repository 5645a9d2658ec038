import { getEventListeners } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { PmanClient, type PmanClientOptions } from '../../../../lib/client/index.ts';
import { eventually } from '../../../helpers/eventually.ts';

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

  it('says of a key that cannot be sent that it is that, and sends nothing', async () => {
    const { client, sent } = clientOf([]);
    for (const key of ['schl\u0142', 'a\nb']) {
      const message = 'the key has a character that cannot be sent';
      const refused = { code: 'bad_request', message };
      await expect(client.run('true', { key })).rejects.toMatchObject(refused);
      await expect(client.rerun('j', {}, { key })).rejects.toMatchObject(refused);
    }
    expect(sent).toEqual([]);
  });

  it.each([1.5, -3, Number.NaN, Number.POSITIVE_INFINITY])(
    'does not give the whole of an output for a place that is none: %d',
    async (from) => {
      const { client, sent } = clientOf([]);
      const message = `"from" is no number of bytes: ${from}`;
      const refused = { code: 'bad_request', message };
      await expect(client.text('j', { from })).rejects.toMatchObject(refused);
      await expect(client.output('j', { from })).rejects.toMatchObject(refused);
      await expect(client.follow('j', { stream: 'stdout', from }).next()).rejects.toMatchObject(
        refused,
      );
      expect(sent).toEqual([]);
    },
  );

  it('takes a place for one output only', async () => {
    const message = '"from" needs a "stream": 4';
    await expect(clientOf([]).client.follow('j', { from: 4 }).next()).rejects.toMatchObject({
      ...{ code: 'bad_request', message },
    });
  });

  it('is not made for a URL that cannot be asked, and does not tell a password', () => {
    expect(() => new PmanClient('ftp://pman/')).toThrow('ftp: is neither http: nor https:');
    for (const url of ['http://user:s3cret@pman/', 'http://:s3cret@pman/', 'http://user@pman/']) {
      const words = 'the URL has a user or password: give a token';
      expect(() => new PmanClient({ url })).toThrow(new TypeError(words));
    }
  });

  it('hears a signal that many calls share by one listener, and takes it back', async () => {
    const stopper = new AbortController();
    const { signal } = stopper;
    const answers: Array<() => void> = [];
    const client = new PmanClient({
      url: 'http://pman/',
      fetch: (_url, { signal: given }) =>
        new Promise((resolve, reject) => {
          answers.push(() => resolve(job()));
          given.addEventListener('abort', () => reject(given.reason as Error));
        }),
    });
    const first = Array.from({ length: 15 }, () => client.job('j', { signal }));
    await eventually(() => answers.length === 15);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const answer of answers.splice(0)) answer();
    await Promise.all(first);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const others = Array.from({ length: 15 }, () => client.job('j', { signal }));
    await eventually(() => answers.length === 15);
    stopper.abort(new Error('enough'));
    for (const other of others) await expect(other).rejects.toThrow('enough');
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

  it.each([
    ['a page', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
    ['nothing', () => new Response('')],
    ['204', () => new Response(null, { status: 204 })],
    ['JSON of another kind', () => new Response('{"id":5,"jobs":{},"state":null}')],
    ['null', () => new Response('null')],
    ['its own 404', () => new Response('{"code":404,"detail":[]}', { status: 404 })],
    ['a redirection', () => new Response('', { status: 302 })],
  ])('knows that what answers with %s is no pman', async (_, answer) => {
    const refused = {
      ...{ code: 'bad_answer', hint: expect.stringContaining('/api/v2') },
      message: expect.stringMatching(/^what answered at http:\/\/pman is no pman: ./),
    };
    const calls: ((client: PmanClient) => Promise<unknown>)[] = [
      (client) => client.job('j'),
      (client) => client.jobs().next(),
      (client) => client.run(':'),
      (client) => client.wait('j'),
      (client) => client.kill('j'),
      (client) => client.lines('j'),
      (client) => client.files('j'),
      (client) => client.eventPage(),
      (client) => client.running(),
      (client) => client.store(),
      (client) => client.capabilities(),
      (client) => client.backends(),
      (client) => client.server(),
    ];
    for (const call of calls) {
      await expect(call(clientOf([answer]).client)).rejects.toMatchObject(refused);
    }
  });

  it('takes no page for the output of a job, and no other text for its pieces', async () => {
    const page = () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } });
    const refused = { code: 'bad_answer' };
    await expect(clientOf([page]).client.output('j')).rejects.toMatchObject(refused);
    await expect(clientOf([page]).client.follow('j').next()).rejects.toMatchObject(refused);
    await expect(clientOf([page]).client.events().next()).rejects.toMatchObject(refused);
    const json = () => new Response('{}', { headers: { 'Content-Type': 'application/json' } });
    await expect(clientOf([json]).client.events().next()).rejects.toMatchObject(refused);
    const text = () => new Response('some\ntext\n');
    await expect(clientOf([text]).client.pieces('j').next()).rejects.toMatchObject(refused);
  });

  it.each(['', '.', '..', {} as never])('asks for no job whose id is %j', async (id) => {
    const { client, sent } = clientOf([]);
    const calls: Promise<unknown>[] = [
      ...[client.job(id), client.wait(id), client.remove(id), client.rerun(id), client.kill(id)],
      ...[client.output(id), client.outputSize(id), client.text(id), client.lines(id)],
      ...[client.find(id, { text: 'x' }), client.files(id), client.file(id, 'x')],
      ...[client.notifications(id), client.notifyAgain(id)],
      ...[client.follow(id).next(), client.pieces(id).next()],
      ...[client.file('j', ''), client.file('j', '../stdout')],
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'not_found' });
    expect(sent).toEqual([]);
  });

  it('asks for no page that it was not told of', async () => {
    const { client, sent } = clientOf([() => new Response('{"jobs":[]}')]);
    expect(await client.jobs().next()).toEqual({ done: true, value: undefined });
    expect(sent.length).toBe(1);
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

describe('the answer to a new job that is lost', () => {
  const reset = () => {
    throw new TypeError('fetch failed', {
      cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    });
  };
  const refused = () => {
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  };

  it('is asked for again with the same key, with no patience as well', async () => {
    const { client, sent } = clientOf([reset, refused, job], { patienceMs: 0 });
    expect(await client.run('true')).toEqual({ id: 'j' });
    const keys = sent.map(({ headers }) => headers['Idempotency-Key']);
    expect([keys.length, new Set(keys).size]).toEqual([3, 1]);
  });

  it('is no reason to ask for what may happen twice, or what was never sent', async () => {
    const killing = clientOf([reset], { patienceMs: 0 });
    await expect(killing.client.kill('j')).rejects.toMatchObject({ mayHaveKey: undefined });
    const away = clientOf([refused], { patienceMs: 0 });
    await expect(away.client.run('true')).rejects.toMatchObject({ mayHaveKey: undefined });
    expect([killing.sent.length, away.sent.length]).toEqual([1, 1]);
  });

  it('is given up after ten seconds, with the key by which it can be sent again', async () => {
    jest.useFakeTimers();
    try {
      const { client } = clientOf([reset, ...Array(99).fill(refused)], { patienceMs: 0 });
      const given = client.run('true', { key: 'k' }).catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(30_000);
      expect(await given).toMatchObject({
        code: 'unreachable',
        message: 'no answer from http://pman: the job may have been accepted',
        mayHaveKey: 'k',
        hint: 'with the same key no second one is made: k',
      });
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a server that is asked again', () => {
  it('is told of once when it is lost, and once when it is back', async () => {
    const told: boolean[] = [];
    const away = () => {
      throw new TypeError('fetch failed');
    };
    const { client } = clientOf([job, away, away, job], {
      onConnection: (isThere) => told.push(isThere),
    });
    await client.job('j');
    await client.job('j');
    expect(told).toEqual([false, true]);
  });
});
