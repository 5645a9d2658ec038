import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { requestBytes, Wire } from '../helpers/http.ts';
import { within } from '../helpers/patience.ts';
import {
  act,
  command,
  endServer,
  makeGate,
  replyOf,
  residentMib,
  runJob,
  statesOf,
} from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const TOKEN = 'tok-9f8e7d6c5b4a';
const MEBI = 1024 * 1024;
const hello = command('hello', { askAbout: 'timestamp' });

/** The longest that `hello` takes while work goes on, in milliseconds. */
async function slowestHello(
  server: TestServer,
  work: Promise<unknown>,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  let slowest = 0;
  while (!isOver) {
    const started = performance.now();
    const { status } = await server.request('POST', '/', { body: hello, headers });
    slowest = Math.max(slowest, performance.now() - started);
    expect(status).toBe(200);
  }
  await done;
  return slowest;
}

describe('a client without a token', () => {
  let server: TestServer;
  const mine = { Authorization: `Bearer ${TOKEN}` };
  beforeAll(async () => {
    const folders = makeFolders();
    const tokens = join(folders.home, 'tokens');
    writeFileSync(tokens, `${TOKEN}\n`);
    const flags = ['--enableTokenAuth', '--tokenPath', tokens, '--listeners', '1'];
    server = await startServer({ folders, flags });
  });
  afterAll(() => endServer(server));

  const head = (method: string, ...lines: readonly string[]) =>
    [`${method} /api/v1/cmd HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n');

  it.each([
    ['POST', 'Content-Length: 16000000'],
    ['OPTIONS', 'Content-Length: 16000000'],
    ['OPTIONS', 'Content-Length: 300'],
    ['PUT', 'Transfer-Encoding: chunked'],
    ['POST', 'Content-Length: 300\r\nExpect: 100-continue'],
    ['POST', 'Content-Length: 900000000000'],
  ])('is refused before it has sent the body of a %s with %s', async (method, line) => {
    const wire = await Wire.open(server.port);
    await wire.send(head(method, line));
    const answer = await wire.answer();
    expect([answer?.status, answer?.header('www-authenticate')]).toEqual([401, 'Bearer']);
    wire.destroy();
  });

  it('gets its answer when it sends a large body without looking', async () => {
    for (const method of ['POST', 'OPTIONS']) {
      const body = JSON.stringify({ payload: 'x'.repeat(8 * MEBI) });
      expect((await server.request(method, '/', { body })).status).toBe(401);
    }
  });

  it('may try again on its connection after a short body', async () => {
    const wire = await Wire.open(server.port);
    const bytes = requestBytes('POST', '/', { body: hello });
    await wire.send(`${bytes}${bytes}`);
    for (let i = 0; i < 2; i += 1) expect((await wire.answer())?.status).toBe(401);
    await wire.send(requestBytes('POST', '/', { body: hello, headers: mine }));
    expect((await wire.answer())?.json()).toMatchObject({ status: true, action: 'hello' });
    wire.destroy();
  });

  it('gets answers in the order of its requests', async () => {
    const wire = await Wire.open(server.port);
    const good = requestBytes('POST', '/', { body: hello, headers: mine });
    await wire.send(`${good}${requestBytes('POST', '/', { body: hello })}${good}`);
    for (const status of [200, 401, 200]) expect((await wire.answer())?.status).toBe(status);
    wire.destroy();
  });

  it('learns from the answer only what it has sent, whether or not that is a token', async () => {
    const texts = new Set<string>();
    const guesses = [TOKEN, 'nobody', `${TOKEN}x`];
    for (const guess of guesses) {
      const body = command('hello', { askAbout: 'echoBack', echoBack: guess });
      const headers = { 'X-Guess': guess, Cookie: guess };
      for (const [method, target] of [
        ['POST', '/'],
        ['GET', `/${guess}`],
        ['OPTIONS', `/?${guess}`],
      ] as const) {
        const answer = await server.request(method, target, { body, headers });
        const {
          'Content-Length': _,
          Date: __,
          ...headersBack
        } = Object.fromEntries(answer.headers);
        const text = answer.text.replaceAll(guess, '<guess>').replace(/Content-Length: \d+/, '');
        texts.add(`${method} ${answer.status} ${text} ${JSON.stringify(headersBack)}`);
      }
    }
    expect([...texts]).toHaveLength(3); // one for each method
  });

  it('does not hold up the others with 16 MiB of OPTIONS', async () => {
    const body = `{"payload":{"action":"x","x":[${'{},'.repeat(5_000_000)}0]}}`;
    const slowest = await slowestHello(server, server.request('OPTIONS', '/', { body }), mine);
    expect(slowest).toBeLessThan(within(500));
  });
});

describe('a server with one listener', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: ['--listeners', '1'] });
  });
  afterAll(() => endServer(server));

  it('answers others while clients wait for the end of their jobs', async () => {
    const gate = makeGate(server);
    const runs = Array.from({ length: 12 }, (_, i) =>
      server.post('run', { cmd: gate.wait, auid: 'a', jid: `w${i}` }, { timeoutMs: 30_000 }),
    );
    await eventually(async () => (await statesOf(server, 'w11'))[0] === 'started');
    const killed = await act(server, 'kill', { key: 'jid', value: 'w3' });
    expect(replyOf(killed).status).toBe(true);
    expect((await runs[3])?.status).toBe(true);
    gate.open();
    for (const run of runs) expect((await run).status).toBe(true);
  });

  it('goes on with a job whose client has left', async () => {
    const gate = makeGate(server);
    const wire = await Wire.open(server.port);
    const mark = join(server.folders.cwd, 'went-on');
    const body = command('run', { cmd: `${gate.wait}; touch '${mark}'`, auid: 'a', jid: 'left' });
    await wire.send(requestBytes('POST', '/', { body }));
    await eventually(async () => (await statesOf(server, 'left'))[0] === 'started');
    wire.destroy();
    gate.open();
    await eventually(() => existsSync(mark));
  });

  it.each<[string, () => string]>([
    ['1.3 million short names', () => `{"x":{${'"abc":1,'.repeat(1_300_000)}"z":1}}`],
    ['5 million objects', () => `[${'{},'.repeat(5_000_000)}0]`],
  ])('refuses %s, and holds nobody up', async (_what, make) => {
    const before = residentMib(server.pid);
    const body = `{"payload":{"action":"hello","meta":${make()}}}`;
    const sent = server.request('POST', '/', { body });
    expect(await slowestHello(server, sent)).toBeLessThan(within(500)); // it took seconds
    const answer = await sent;
    expect([answer.status, replyOf(answer).error]).toMatchObject([
      413,
      { code: 'payload_too_large', message: expect.stringContaining('100000 JSON values') },
    ]);
    expect(residentMib(server.pid) - before).toBeLessThan(150);
  });

  it('takes 16 MiB in one text, sends none of it back twice, and holds nobody up', async () => {
    const meta = { askAbout: 'timestamp', x: 'x'.repeat(16 * MEBI - 200) };
    const sent = server.request('POST', '/', { body: command('hello', meta) });
    expect(await slowestHello(server, sent)).toBeLessThan(within(500));
    const { status, text } = await sent;
    expect([status, text.length < MEBI]).toEqual([200, true]);
    expect(JSON.parse(text)).toMatchObject({ meta: { x: expect.stringContaining('more char') } });
  });

  it('tells ten problems of a request with thousands, and refuses a job with more values than that', async () => {
    const env = (count: number) => Object.fromEntries([...Array(count).keys()].map((i) => [i, i]));
    const send = (count: number) =>
      act(server, 'run', { cmd: ':', auid: 'a', jid: 'b', env: env(count) });
    const some = await send(9000);
    expect([some.status, some.text.length < 600_000]).toEqual([400, true]);
    expect(replyOf(some).error?.message).toMatch(/; and \d+ more$/);
    expect((await send(20_000)).status).toBe(413);
  });

  it('refuses to search for megabytes, and a body for /api/v2 that no job is', async () => {
    const long = 'x'.repeat(3 * MEBI);
    const search = await act(server, 'status', { key: 'jid', value: long });
    expect([search.status, replyOf(search).error?.message]).toEqual([
      400,
      expect.stringContaining('"meta.value": has more than'),
    ]);
    const body = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`m${i}`, []]));
    expect((await server.request('POST', '/api/v2/jobs', { body })).status).toBe(413);
  });

  it('answers others while one client has sent thousands of requests in one piece', async () => {
    const count = 5000;
    const wire = await Wire.open(server.port);
    const one = requestBytes('GET', '/api/v1/no/such/job');
    await wire.send(Buffer.concat(Array.from({ length: count }, () => one)));
    let answered = 0;
    const all = (async () => {
      while (answered < count && (await wire.answer()) !== null) answered += 1;
    })();
    let hellos = 0;
    while (answered < count) {
      expect((await act(server, 'hello', { askAbout: 'timestamp' })).status).toBe(200);
      if (answered < count) hellos += 1;
    }
    await all;
    wire.destroy();
    // Nobody was answered until all of them were.
    expect(hellos).toBeGreaterThan(5);
  });

  it('refuses a job whose meta has megabytes, and keeps what it takes', async () => {
    const run = (bytes: number) =>
      act(server, 'run', {
        ...{ cmd: ':', auid: 'a', jid: `m${bytes}`, threaded: true },
        note: 'n'.repeat(bytes),
      });
    expect((await run(3 * MEBI)).status).toBe(413);
    expect((await run(MEBI)).status).toBe(200);
    await runJob(server, ':');
  });
});
