import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type JobEvent, PmanClient, type PmanClientError } from '../../lib/client/index.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { checkout, makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const failure = async (call: Promise<unknown>): Promise<PmanClientError> =>
  call.then(
    () => expect('the call').toBe('refused'),
    (error: unknown) => error,
  ) as Promise<PmanClientError>;

describe('the client', () => {
  let server: TestServer;
  let client: PmanClient;
  beforeAll(async () => {
    server = await startServer();
    client = new PmanClient(`http://127.0.0.1:${server.port}/`);
  });
  afterAll(() => endServer(server));

  it('has a job run, waits for it and reads what it has written', async () => {
    const job = await client.run({ command: 'echo out; echo err >&2; exit 4', jid: 'first' });
    const ended = await client.wait(job);
    expect(ended).toMatchObject({ id: job.id, jid: 'first', state: 'failed', exitCode: 4 });
    expect(await client.job(job.id)).toEqual(ended);
    expect(await client.text(job)).toBe('out\n');
    expect(await client.text(job, { stream: 'stderr', part: 1 })).toBe('err\n');
    expect(await client.output(job, { from: 2 })).toEqual(Buffer.from('t\n').subarray());
    expect(await client.text(job, { from: 99 })).toBe('');
  });

  it('follows both outputs, and gives characters whole', async () => {
    const job = await client.run({
      command: "printf 'gr\\303'; sleep 0.2; printf '\\274n'; echo e >&2",
      shell: true,
    });
    const texts = { stdout: '', stderr: '' };
    const offsets: number[] = [];
    for await (const { stream, offset, bytes, text } of client.follow(job)) {
      texts[stream] += text;
      if (stream === 'stdout') offsets.push(offset, offset + bytes.length);
    }
    expect(texts).toEqual({ stdout: 'grün', stderr: 'e\n' });
    expect([offsets[0], offsets.at(-1)]).toEqual([0, 5]);
    const rest = [];
    for await (const { text } of client.follow(job, { stream: 'stdout', from: 3 })) rest.push(text);
    expect(rest.join('')).toBe('\u{fffd}n'); // the second half of a character
  });

  it('goes through the jobs page by page, as far as they are read', async () => {
    const jobs = [];
    for (const n of [1, 2, 3, 4, 5])
      jobs.push(await client.run({ command: `: ${n}`, auid: 'all' }));
    const found: string[] = [];
    for await (const { command } of client.jobs({ auid: 'all', limit: 2 })) {
      found.push(command);
    }
    expect(found).toEqual([': 5', ': 4', ': 3', ': 2', ': 1']);
    for (const job of jobs) await client.wait(job);
    const done = await client.jobPage({ auid: 'all', state: ['succeeded', 'failed'] });
    expect(done).toMatchObject({ jobs: { length: 5 }, next: null });
  });

  it('kills a job, and removes it', async () => {
    const job = await client.run('sleep 600');
    await eventually(async () => (await client.job(job)).state === 'running');
    await client.kill(job, { signal: 'KILL' });
    expect(await client.wait(job)).toMatchObject({ state: 'killed', reason: { code: 'killed' } });
    await client.remove(job);
    expect(await failure(client.job(job))).toMatchObject({ code: 'not_found', status: 404 });
  });

  it('has a job run again, with its input, and reads the files that it has left', async () => {
    const cwd = server.folders.cwd;
    const job = await client.run({
      ...{ command: 'cat >"$NAME"; mkdir -p a; echo b >"a/b c"', shell: true, stdin: 'input' },
      ...{ env: { NAME: 'x' }, cwd, files: ['x', 'y', 'a/*'], labels: { kind: 'files' } },
    });
    await client.wait(job);
    const again = await client.rerun(job, { env: { NAME: 'y' } });
    expect(await client.wait(again)).toMatchObject({ state: 'succeeded', rerunOf: job.id });
    const { files } = await client.files(again);
    expect(files.map(({ path }) => path).toSorted()).toEqual(['a/b c', 'x', 'y']);
    const read = async (path: string) => new TextDecoder().decode(await client.file(again, path));
    expect([await read('y'), await read('a/b c')]).toEqual(['input', 'b\n']);
    const found = await client.jobPage({
      label: ['kind=files'],
      sort: 'oldest',
      since: new Date(0),
    });
    expect(found.jobs.map(({ id }) => id)).toEqual([job.id, again.id]);
    expect((await client.jobPage({ text: 'no such text', until: new Date() })).jobs).toEqual([]);
  });

  it('tells what the server is and can do', async () => {
    expect(await client.server()).toMatchObject({
      version: expect.any(String),
      backends: expect.arrayContaining(['host']),
    });
    const { backends } = await client.capabilities();
    expect(backends.map(({ name }) => name)).toContain('host');
  });

  it('makes one job of one key', async () => {
    const [one, other] = [await client.run(':', { key: 'k' }), await client.run(':', { key: 'k' })];
    expect(other.id).toBe(one.id);
    expect((await client.run(':')).id).not.toBe((await client.run(':')).id);
  });

  it('throws what the server says is wrong, with what can be done', async () => {
    expect(await failure(client.job('nobody'))).toMatchObject({
      ...{ name: 'PmanClientError', code: 'not_found', status: 404 },
      message: 'there is no job nobody',
      hint: expect.stringContaining('lists the jobs'),
    });
    expect(await failure(client.run({ command: '' }))).toMatchObject({
      ...{ code: 'bad_request', status: 400, message: expect.stringContaining('"command"') },
    });
    const job = await client.run(':');
    await client.wait(job);
    expect(await failure(client.kill(job))).toMatchObject({ code: 'conflict', status: 409 });
    expect(await failure(client.events({ after: 1_000_000 }).next())).toMatchObject({
      ...{ code: 'gone', status: 410, hint: expect.stringContaining('look at the jobs anew') },
    });
  });

  it('ends each call with its signal', async () => {
    const job = await client.run('sleep 600');
    const reason = new Error('enough');
    const calls: ReadonlyArray<(signal: AbortSignal) => Promise<unknown>> = [
      (signal) => client.wait(job, { signal }),
      (signal) => client.follow(job, { signal }).next(),
      (signal) => client.follow(job, { signal, stream: 'stderr' }).next(),
      (signal) => client.events({ jid: 'none' }, { signal }).next(),
    ];
    for (const call of calls) {
      const stopper = new AbortController();
      const failed = failure(call(stopper.signal));
      setTimeout(() => stopper.abort(reason), 100);
      expect(await failed).toBe(reason);
      expect(await failure(call(stopper.signal))).toBe(reason);
    }
    await client.kill(job, { signal: 'KILL' });
  });

  it('says why there is no size of an output, as of the output itself', async () => {
    const job = await client.run('true');
    await client.wait(job);
    const unknown = '20200101000000.000000_00000000-0000-4000-8000-000000000000';
    for (const [id, part] of [[unknown], [job.id, 9]] as const) {
      const which = part === undefined ? {} : { part };
      const { code, status, message } = await failure(client.text(id, which));
      expect([code, status]).toEqual(['not_found', 404]);
      expect(await failure(client.outputSize(id, which))).toMatchObject({ code, status, message });
    }
    expect(await client.outputSize(job)).toBe(0);
  });

  it('says that nobody answers', async () => {
    const lone = new PmanClient({ url: 'http://127.0.0.1:9', patienceMs: 0 });
    expect(await failure(lone.job('x'))).toMatchObject({ code: 'unreachable', status: undefined });
    expect(() => new PmanClient('nothing')).toThrow('Invalid URL');
  });

  it('is one small file that needs nothing of Node and no package', () => {
    const bundle = readFileSync(join(checkout, 'dist/client/pmanClient.js'));
    expect(gzipSync(bundle).length).toBeLessThan(6 * 1024);
    expect(bundle.toString()).not.toMatch(/\bimport\b|\brequire\b|\bprocess\b|\bBuffer\b/);
  });

  it('has the names of its classes also in that file', async () => {
    const bundle = (await import(join(checkout, 'dist/client/pmanClient.js'))) as {
      readonly PmanClient: typeof PmanClient;
      readonly PmanClientError: typeof PmanClientError;
    };
    expect(bundle.PmanClient.name).toBe('PmanClient');
    const error = new bundle.PmanClientError('code', 'words');
    expect(String(error)).toBe('PmanClientError: words');
    expect(error.constructor.name).toBe('PmanClientError');
  });
});

describe('the client, when pman is killed and started again', () => {
  let server: TestServer;
  afterEach(() => endServer(server));

  const crash = async () => {
    const { port } = server;
    await server.kill9();
    await server.restart(['--port', String(port)]);
  };

  it('follows, waits and hears of each change once', async () => {
    server = await startServer({ folders: makeFolders() });
    const client = new PmanClient(`http://127.0.0.1:${server.port}`);
    const stopper = new AbortController();
    const { signal } = stopper;
    const gates = ['a', 'b', 'c'].map((name) => makeGate(server, name));
    const command = gates.map(({ wait }, n) => `seq ${n}000 ${n}999; ${wait}`).join('; ');
    const heard: JobEvent[] = [];
    const events = client.events({ after: 0 }, { signal });
    const firstEvent = events.next();
    const job = await client.run({ command, jid: 'long' });
    heard.push((await firstEvent).value as JobEvent);
    const hearing = (async () => {
      for await (const event of events) heard.push(event);
    })().catch((error: unknown) => error);
    const waited = client.wait(job);
    const read: Uint8Array[] = [];
    const following = (async () => {
      for await (const chunk of client.follow(job, { stream: 'stdout' })) read.push(chunk.bytes);
    })();
    for (const [n, gate] of gates.entries()) {
      await eventually(() =>
        Buffer.concat(read)
          .toString()
          .endsWith(`\n${n * 1000 + 999}\n`),
      );
      await crash();
      gate.open();
    }
    await following;
    expect(await waited).toMatchObject({ id: job.id, state: 'succeeded' });
    const lines = Buffer.concat(read).toString().trimEnd().split('\n');
    const wanted = gates.flatMap((_, n) =>
      Array.from({ length: 1000 }, (__, line) => String(n * 1000 + line)),
    );
    expect(lines).toEqual(wanted);
    await eventually(() => heard.some(({ type }) => type === 'ended'));
    stopper.abort(new Error('heard enough'));
    expect(await hearing).toMatchObject({ message: 'heard enough' });
    const numbers = heard.map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, n) => (numbers[0] ?? 0) + n));
    expect(heard.map(({ type }) => type)).toEqual([
      'accepted',
      ...gates.flatMap(() => ['started', 'part_ended', 'started', 'part_ended']),
      'ended',
    ]);
  });

  it('gives up when it has been away for longer than the patience', async () => {
    server = await startServer();
    const client = new PmanClient({ url: `http://127.0.0.1:${server.port}`, patienceMs: 300 });
    const job = await client.run('sleep 600');
    const calls = [client.wait(job), client.follow(job).next(), client.events().next()];
    const failed = calls.map((call) => failure(call));
    await client.job(job);
    await server.kill9();
    for (const one of failed) expect(await one).toMatchObject({ code: 'unreachable' });
  });
});

/** Hands requests on to pman, and breaks the connection off in place of the first answers. */
class Loser {
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #port: number;
  #lose = 0;

  constructor(port: number) {
    this.#port = port;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url?.replace(/\d{14}[^/]*/, 'ID')}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks);
    const { method = '', url = '' } = request;
    const answer = await fetch(`http://127.0.0.1:${this.#port}${url}`, {
      ...{ method, headers: { 'Idempotency-Key': String(request.headers['idempotency-key']) } },
      ...(body.length === 0 ? {} : { body }),
    });
    const text = await answer.text();
    this.#lose -= 1;
    if (this.#lose >= 0) response.destroy();
    else response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(text);
  }

  async open(): Promise<PmanClient> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return new PmanClient(`http://127.0.0.1:${port}`);
  }

  lose(count: number): void {
    this.requests.length = 0;
    this.#lose = count;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe('the client, when answers are lost', () => {
  it('sends again what does no harm twice, and nothing else', async () => {
    const server = await startServer();
    const loser = new Loser(server.port);
    const client = await loser.open();
    loser.lose(2);
    const job = await client.run({ command: 'sleep 600', jid: 'once' });
    expect(loser.requests).toEqual(Array(3).fill('POST /api/v2/jobs'));
    expect(await client.jobPage({ jid: 'once' })).toMatchObject({ jobs: [{ id: job.id }] });

    loser.lose(1);
    expect(await failure(client.kill(job, { signal: 'KILL' }))).toMatchObject({
      code: 'unreachable',
    });
    expect(loser.requests).toEqual(['POST /api/v2/jobs/ID/kill']);
    expect(await client.wait(job)).toMatchObject({ state: 'killed' });

    loser.lose(1);
    await client.remove(job);
    expect(loser.requests).toEqual(Array(2).fill('DELETE /api/v2/jobs/ID'));
    expect(await failure(client.remove(job))).toMatchObject({ code: 'not_found' });
    loser.close();
    await endServer(server);
  });
});
