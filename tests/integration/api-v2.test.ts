import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backendsSchema } from '../../lib/dialects/v2/backendsSchema.ts';
import { capabilitiesSchema, serverSchema } from '../../lib/dialects/v2/serverSchemas.ts';
import type { JobEvent } from '../../lib/events/event.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, resultOf } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('/api/v2', () => {
  let server: TestServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await startServer({
      flags: ['--maxJobs', '64', '--maxOutput', '512', '--keepJobs', '5000'],
    });
    api = new ApiClient(server);
  });
  afterAll(async () => {
    await endServer(server);
  });

  describe('a job', () => {
    it('is accepted with its place, waited for, and shown with its parts', async () => {
      const said = await api.send('POST', '/api/v2/jobs', {
        ...{ command: 'echo $A; sleep 0.2; exit 3', jid: 'mine', auid: 'ana', env: { A: 'hi' } },
      });
      const job = await api.job(String((said.body as { id: string }).id), '?wait=20s');
      expect(said.headers.get('location')).toBe(`/api/v2/jobs/${job.id}`);
      expect(job).toMatchObject({
        ...{ jid: 'mine', auid: 'ana', backend: 'host', image: null, place: null },
        ...{ state: 'failed', exitCode: 3 },
        reason: { code: 'exit_code', message: expect.any(String) },
        parts: [
          { command: 'echo $A', exitCode: 0, cause: null },
          { command: 'sleep 0.2', exitCode: 0, cause: null },
          { command: 'exit 3', exitCode: 3, cause: null },
        ],
      });
      const { acceptedAt, startedAt, endedAt } = job;
      const times = [acceptedAt, startedAt, endedAt].map((time) => Date.parse(time ?? ''));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect((await api.send('GET', job.links.stdout)).body).toBe('hi\n');
    });

    it('is the same for a client of the original', async () => {
      const { id } = await api.submit({ command: 'echo both', jid: 'for-both', auid: 'u' });
      await api.job(id, '?wait=20s');
      expect(await resultOf(server, 'for-both')).toMatchObject({ jobRoot: id, stdout: ['both\n'] });
    });

    it('needs nothing but a command', async () => {
      const { id } = await api.submit({ command: 'true' });
      const ended = await api.job(id, '?wait=20s');
      expect(ended).toMatchObject({ jid: null, auid: null, state: 'succeeded', exitCode: 0 });
      expect(ended.reason).toBeNull();
    });

    it('is one, however often it is sent with its key; another one with that key is refused', async () => {
      const send = (command: string) =>
        api.send('POST', '/api/v2/jobs', { command }, { 'Idempotency-Key': 'k1' });
      const sent = await Promise.all([send('true'), send('true'), send('true')]);
      expect(new Set(sent.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
      expect((await send('false')).status).toBe(409);
    });

    it('is killed, and says by whom it was ended', async () => {
      // A shell that starts its program just then may lose a SIGINT; this one has started it.
      const program = `process.stdout.write('up'); setInterval(() => undefined, 1000)`;
      const { id, links } = await api.submit({ command: `exec node -e "${program}"` });
      await eventually(async () => (await api.send('GET', links.stdout)).body === 'up');
      const ordered = await api.send('POST', `${links.self}/kill`, { signal: 'INT' });
      expect(ordered.status).toBe(202);
      expect(await api.job(id, '?wait=20s')).toMatchObject({
        ...{ state: 'killed', exitCode: -2 },
        reason: { code: 'killed', message: 'ended by a kill request (SIGINT)' },
      });
      expect((await api.send('POST', `${links.self}/kill`)).status).toBe(409);
    });

    it('that takes too long says so', async () => {
      const { id } = await api.submit({ command: 'sleep 100', timeout: 0.2 });
      expect(await api.job(id, '?wait=20s')).toMatchObject({
        state: 'failed',
        reason: { code: 'timeout', message: expect.stringContaining('0.2 s') },
      });
    });

    it('is answered as it stands when the wait is over before its end', async () => {
      const { id, links } = await api.submit({ command: 'sleep 100' });
      expect(['waiting', 'starting', 'running']).toContain((await api.job(id, '?wait=0.1s')).state);
      await api.send('POST', `${links.self}/kill`, { signal: 'KILL' });
      await api.job(id, '?wait=20s');
    });

    it('is answered when it has changed, to who has it as it was', async () => {
      const go = join(tempDir(), 'go');
      const first = `until [ -e ${go} ]; do sleep 0.05; done && exit 3`;
      const { id, links } = await api.submit({ command: `${first}; sleep 100` });
      await eventually(async () => (await api.job(id)).state === 'running');
      const tag = (await api.send('GET', links.self)).headers.get('etag') ?? '';
      const ask = (known: string, wait: string) =>
        api.send('GET', `${links.self}?wait=${wait}`, undefined, { 'If-None-Match': known });
      expect((await ask('"another"', '60s')).body).toMatchObject({ state: 'running' });
      expect((await ask(tag, '0.2s')).status).toBe(304);
      const changed = ask(tag, '60s');
      writeFileSync(go, '');
      const { body } = await changed;
      expect(body).toMatchObject({ state: 'running' });
      // The part behind it may have been started meanwhile.
      expect((body as { parts: readonly unknown[] }).parts[0]).toMatchObject({ exitCode: 3 });
      await api.send('POST', `${links.self}/kill`, { signal: 'KILL' });
      await api.job(id, '?wait=20s');
    });

    it('is removed once it has ended, and then unknown', async () => {
      const { id, links } = await api.submit({ command: 'sleep 100' });
      expect((await api.send('DELETE', links.self)).status).toBe(409);
      await api.send('POST', `${links.self}/kill`, { signal: 'KILL' });
      await api.job(id, '?wait=20s');
      expect((await api.send('DELETE', links.self)).status).toBe(204);
      expect((await api.send('GET', links.self)).status).toBe(404);
      expect((await api.send('DELETE', links.self)).status).toBe(404);
    });

    it('has its output by ranges, by part, and followed to its end', async () => {
      const { id, links } = await api.submit({ command: 'printf abcdef; sleep 0.3; echo end >&2' });
      const followed = api.send('GET', `${links.stderr}?follow=1`);
      expect((await followed).body).toBe('end\n');
      await api.job(id, '?wait=20s');
      const part = await api.send('GET', links.stdout, undefined, { Range: 'bytes=2-3' });
      expect([part.status, part.body]).toEqual([206, 'cd']);
      expect((await api.send('GET', `${links.stdout}?part=0`)).body).toBe('abcdef');
      const beyond = await api.send('GET', links.stdout, undefined, { Range: 'bytes=6-' });
      expect(beyond.status).toBe(416);
    });
  });

  describe('a list', () => {
    it('has every job once, page by page, while others are accepted', async () => {
      const made: string[] = [];
      for (let i = 0; i < 7; i += 1) {
        made.push((await api.submit({ command: 'true', auid: 'pages' })).id);
      }
      for (const order of ['newest', 'oldest']) {
        const seen: string[] = [];
        let cursor = '';
        do {
          const page = await api.page(`?auid=pages&limit=3&sort=${order}${cursor}`);
          seen.push(...page.jobs.map(({ id }) => id));
          if (order === 'newest') await api.submit({ command: 'true', auid: 'pages' });
          cursor = page.next === null ? '' : `&cursor=${page.next}`;
        } while (cursor !== '');
        const expected = order === 'newest' ? made.toReversed() : made;
        expect(seen.slice(0, 7)).toEqual(expected);
        expect(new Set(seen).size).toBe(seen.length);
      }
    });

    it('holds those of a state', async () => {
      const bad = await api.submit({ command: 'false', auid: 'states' });
      const good = await api.submit({ command: 'true', auid: 'states' });
      await Promise.all([bad, good].map(({ id }) => api.job(id, '?wait=20s')));
      const ids = async (state: string) =>
        (await api.page(`?auid=states&state=${state}`)).jobs.map(({ id }) => id);
      expect(await ids('failed')).toEqual([bad.id]);
      expect(await ids('succeeded,failed')).toEqual([good.id, bad.id]);
      expect(await ids('running')).toEqual([]);
    });
  });

  describe('a refusal', () => {
    beforeAll(async () => {
      const { id } = await api.submit({ command: 'true' });
      await api.job(id, '?wait=20s');
    });

    it.each([
      ['POST', '/api/v2/jobs', {}, 400, /"command"/],
      ['POST', '/api/v2/jobs', { command: 'true', timout: 3 }, 400, /timout/],
      ['POST', '/api/v2/jobs', { command: 'a\0b' }, 400, /NUL/],
      ['POST', '/api/v2/jobs', [], 400, /object/],
      ['GET', '/api/v2/jobs?state=done', undefined, 400, /"state/],
      ['GET', '/api/v2/jobs?limit=0', undefined, 400, /"limit"/],
      ['GET', '/api/v2/jobs?statr=x', undefined, 400, /statr/],
      ['GET', '/api/v2/jobs?cursor=x', undefined, 400, /cursor/],
      ['GET', '/api/v2/jobs/nix', undefined, 404, /nix/],
      ['GET', '/api/v2/jobs/%zz', undefined, 400, /%/],
      ['GET', '/api/v2/jobs/a%00', undefined, 400, /NUL/],
      ['GET', `/api/v2/jobs/${'x'.repeat(256)}`, undefined, 400, /255 bytes/],
      ['GET', '/api/v2/nix', undefined, 404, /nix/],
      ['PUT', '/api/v2/jobs', {}, 405, /GET/],
      ['POST', '/api/v2/jobs/_0/kill', { signal: 'FROB' }, 400, /signal/],
      ['GET', '/api/v2/events?after=999999', undefined, 410, /./],
      ['GET', '/api/v2/events?after=-1', undefined, 400, /"after"/],
    ] as const)(
      '%s %s %j is a problem of status %i',
      async (method, path, body, status, detail) => {
        const said = await api.send(method, path, body);
        expect([said.status, said.body]).toEqual([
          status,
          expect.objectContaining({ status, detail: expect.stringMatching(detail) }),
        ]);
      },
    );

    it('of what is no JSON says so', async () => {
      const answer = await fetch(api.url('/api/v2/jobs'), { method: 'POST', body: '{' });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: 'bad_request' });
    });
  });

  it('tells how the server does, what can run jobs there, and whether that could run one now', async () => {
    const server = await api.send('GET', '/api/v2/server');
    const { limits, limitedBy } = serverSchema.strict().parse(server.body);
    expect(Object.keys(limitedBy)).toEqual(['memory', 'cpu', 'processes']);
    expect(limits).toMatchObject({
      jobsAtOnce: 64,
      job: { outputBytes: 512 * 1024 ** 2, cpus: null },
      kept: { seconds: null, jobs: 5000 },
    });
    const capabilities = await api.send('GET', '/api/v2/capabilities');
    capabilitiesSchema.strict().parse(capabilities.body);
    const now = await api.send('GET', '/api/v2/backends');
    expect(backendsSchema.strict().parse(now.body).backends[0]).toEqual({
      ...{ name: 'host', state: 'ready', problem: null, hint: null },
    });
  });

  describe('events', () => {
    it('come as a page that says where to go on, and wait for the next one', async () => {
      const newest = Number(
        ((await api.send('GET', '/api/v2/events')).body as { next: number }).next,
      );
      const next = api.send('GET', `/api/v2/events?after=${newest}&wait=20s`);
      const { id } = await api.submit({ command: 'true' });
      const { events } = (await next).body as { events: readonly unknown[] };
      // On a busy host others may have come with it.
      expect(events[0]).toMatchObject({ seq: newest + 1, type: 'accepted', id });
    });

    it('come as a stream, those that are asked for', async () => {
      const end = new AbortController();
      const seen: string[] = [];
      const { id } = await api.submit({ command: 'true; exit 4', jid: 'streamed' });
      for await (const { type, data } of api.events(0, end.signal, '?jid=streamed')) {
        seen.push(`${type} ${JSON.stringify(data ?? {})}`);
        if (type === 'ended') break;
      }
      end.abort();
      const because =
        '"reason":{"code":"exit_code","message":"a part ended with an exit code that is not 0"}';
      expect(seen).toEqual([
        ...['accepted {}', 'started {"part":0}', 'part_ended {"part":0,"exitCode":0}'],
        ...['started {"part":1}', 'part_ended {"part":1,"exitCode":4}'],
        `ended {"state":"failed",${because},"exitCodes":[0,4]}`,
      ]);
      await api.job(id, '?wait=20s');
    });

    it('come as lines of JSON', async () => {
      const end = new AbortController();
      const answer = await fetch(api.url('/api/v2/events?after=0'), {
        headers: { Accept: 'application/x-ndjson' },
        signal: end.signal,
      });
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of answer.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        if (text.split('\n').length > 4) break;
      }
      end.abort();
      const lines = text.split('\n').filter((line) => line !== '');
      expect(JSON.parse(lines[1] ?? '')).toMatchObject({ seq: 2 });
    });
  });
});

describe('events of a pman that is killed again and again', () => {
  it('reach a consumer each once and in order', async () => {
    const server = await startServer();
    const api = new ApiClient(server);
    const seen: JobEvent[] = [];
    const end = new AbortController();
    const consume = async () => {
      while (!end.signal.aborted) {
        try {
          for await (const event of api.events(seen.at(-1)?.seq ?? 0, end.signal)) seen.push(event);
        } catch (error) {
          // The server is away; what is wrong with its answers is not caught.
          if ((error as Error).name === 'JestAssertionError') throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const consumer = consume();
    const accepted: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (let i = 0; i < 5; i += 1) {
        accepted.push((await api.submit({ command: `sleep 0.${i}; exit ${i}` })).id);
      }
      await server.kill9();
      await server.restart();
    }
    for (const id of accepted) await api.job(id, '?wait=20s');
    await eventually(() => seen.filter(({ type }) => type === 'ended').length === accepted.length);
    end.abort();
    await consumer;
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i + 1));
    for (const [i, id] of accepted.entries()) {
      const own = seen.filter((event) => event.id === id).map(({ type }) => type);
      expect([i, ...own]).toEqual([
        ...[i, 'accepted', 'started', 'part_ended', 'started', 'part_ended', 'ended'],
      ]);
    }
    await endServer(server);
  }, 120_000);
});

describe('/api/v2 with tokens', () => {
  it('gives each its own: scopes, the jobs of an auid, the events of these, and a problem to who has none', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.cfg');
    writeFileSync(
      tokenPath,
      [
        '[AUTH TOKENS]',
        `all = ${'a'.repeat(40)}`,
        '[TOKEN ana]',
        `value = ${'b'.repeat(40)}`,
        'scopes = run, read',
        'auid = ana',
        '[TOKEN reader]',
        `value = ${'c'.repeat(40)}`,
        'scopes = read',
      ].join('\n'),
      { mode: 0o600 },
    );
    const server = await startServer({
      folders,
      flags: ['--enableTokenAuth', '--tokenPath', tokenPath],
    });
    const api = new ApiClient(server);
    const by = (letter: string) => ({ Authorization: `Bearer ${letter.repeat(40)}` });
    const [all, ana, reader] = [by('a'), by('b'), by('c')];
    const post = (headers: object, body: object) => api.send('POST', '/api/v2/jobs', body, headers);
    expect((await api.send('GET', '/api/v2/jobs')).status).toBe(401);
    expect((await post(reader, { command: 'true' })).status).toBe(403);
    expect((await post(ana, { command: 'true', auid: 'bob' })).status).toBe(403);
    const hers = (await post(ana, { command: 'true' })).body as { id: string; auid: string };
    const his = (await post(all, { command: 'true', auid: 'bob' })).body as { id: string };
    expect(hers.auid).toBe('ana');
    const idsOf = async (headers: object) => {
      const { body } = await api.send('GET', '/api/v2/jobs', undefined, headers);
      return (body as { jobs: { id: string }[] }).jobs.map(({ id }) => id);
    };
    expect(await idsOf(ana)).toEqual([hers.id]);
    expect(await idsOf(reader)).toEqual([his.id, hers.id]);
    const path = `/api/v2/jobs/${his.id}`;
    expect((await api.send('GET', path, undefined, ana)).status).toBe(404);
    expect((await api.send('GET', path, undefined, reader)).status).toBe(200);
    expect((await api.send('POST', `${path}/kill`, {}, reader)).status).toBe(403);
    await api.send('GET', `${path}?wait=20s`, undefined, all);
    const heard = async (query: string) => {
      const told = await api.send('GET', `/api/v2/events${query}`, undefined, ana);
      return [...new Set((told.body as { events: { id: string }[] }).events.map(({ id }) => id))];
    };
    expect([await heard(''), await heard('?auid=bob')]).toEqual([[hers.id], []]);
    await endServer(server);
  });
});
