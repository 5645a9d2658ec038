import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { jobSchema } from '../../lib/dialects/v2/jobSchema.ts';
import { newJobSchema } from '../../lib/dialects/v2/newJobSchema.ts';
import { problemSchema } from '../../lib/dialects/v2/problemSchema.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

/** What a client may say to /api/v2 and what not: nothing is taken and then ignored, and each refusal is in the API's words. */
let server: TestServer;
let api: ApiClient;
const problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  hint: z.string().optional(),
});

async function refused(method: string, path: string, body?: unknown, headers = {}) {
  const said = await api.send(method, path, body, headers);
  const { detail, hint = '' } = problem.parse(said.body);
  return { status: said.status, detail, hint, headers: said.headers };
}

const of = { command: 'true' };

describe('what is said to /api/v2', () => {
  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(async () => {
    await endServer(server);
  });

  describe('a job that is sent again', () => {
    it('loses what is null in the changes, and cannot lose its command', async () => {
      const said = { labels: { a: '1' }, timeout: 30, memory: '512Mi', nice: 5, cwd: '/tmp' };
      const { id } = await api.submit({ ...of, ...said, jid: 'named', auid: 'ana', stdin: 'in' });
      const names = [...Object.keys(said), 'jid', 'auid', 'stdin', 'env', 'gpus', 'image', 'ssh'];
      const nothing = Object.fromEntries(names.map((name) => [name, null]));
      const { status, body } = await api.send('POST', `/api/v2/jobs/${id}/rerun`, nothing);
      const { labels, asked, cwd, jid, auid, rerunOf } = jobSchema.parse(body);
      const none = { timeout: null, memory: null, maxOutput: null, nice: null, cpus: null };
      expect([status, labels, asked]).toEqual([201, {}, { ...none, gpus: null, workers: null }]);
      expect([cwd === '/tmp', jid, auid, rerunOf]).toEqual([false, null, null, id]);
      const refusal = await refused('POST', `/api/v2/jobs/${id}/rerun`, { command: null });
      expect([refusal.status, refusal.detail]).toEqual([
        400,
        'the body: "command" has to be a text',
      ]);
    });
  });

  describe('a job that says what means nothing where it runs', () => {
    it.each(
      Object.entries({
        ...{ gpus: 1, workers: 2, user: 'root', shareDir: '/tmp' },
        mounts: [{ source: '/tmp', target: '/in' }],
      }),
    )('is refused on a host: %s', async (name, value) => {
      const { status, detail } = await refused('POST', '/api/v2/jobs', { ...of, [name]: value });
      expect([status, detail]).toEqual([
        400,
        `the body: "${name}": is not for jobs without an image`,
      ]);
      const { id } = await api.submit(of);
      const again = await refused('POST', `/api/v2/jobs/${id}/rerun`, { [name]: value });
      expect([again.status, again.detail]).toEqual([400, detail]);
    });

    it('is refused by the list of what a back-end takes, and no member is on none', async () => {
      const { body } = await api.send('GET', '/api/v2/capabilities');
      const { backends } = z
        .object({
          backends: z.array(z.looseObject({ name: z.string(), takes: z.array(z.string()) })),
        })
        .parse(body);
      const taken = new Set(backends.flatMap(({ takes }) => takes));
      // Whether it may go elsewhere is the server's to allow, and what takes no input is a swarm.
      const others = Object.keys(newJobSchema.shape).filter((name) => !taken.has(name));
      expect(others).toEqual(['ssh', 'backend', 'notify']);
    });

    it('is refused for a query, as nothing would come of it', async () => {
      const { id } = await api.submit({ command: 'sleep 100' });
      const kill = await refused('POST', `/api/v2/jobs/${id}/kill?signal=KILL`, {});
      expect([kill.status, kill.detail]).toEqual([400, 'the query: there is no "signal"']);
      expect((await refused('POST', '/api/v2/jobs?wait=30s', of)).status).toBe(400);
      expect((await refused('GET', '/api/v2/server?x=1')).status).toBe(400);
      expect((await api.send('POST', `/api/v2/jobs/${id}/kill`, { signal: 'KILL' })).status).toBe(
        202,
      );
    });

    it('is refused with a key that is empty: it would be the job of somebody else', async () => {
      const { status, detail } = await refused('POST', '/api/v2/jobs', of, {
        'Idempotency-Key': '',
      });
      expect([status, detail]).toEqual([400, 'Idempotency-Key: is empty']);
    });

    it('has each variable that it was given, whatever it is called', async () => {
      const env = JSON.parse('{"__proto__": "a", "constructor": "b"}') as object;
      const { id } = await api.submit({ command: 'env', env });
      await api.job(id, '?wait=20s');
      const { body } = await api.send('GET', `/api/v2/jobs/${id}/stdout`);
      expect(String(body).split('\n')).toEqual(
        expect.arrayContaining(['__proto__=a', 'constructor=b']),
      );
    });

    it('has memory in bytes, whether the number is one or a text', async () => {
      for (const memory of [64 * 1024 * 1024, String(64 * 1024 * 1024)]) {
        const { id } = await api.submit({ ...of, memory });
        expect((await api.job(id, '?wait=20s')).limits?.memory?.bytes).toBe(64 * 1024 * 1024);
      }
      expect((await refused('POST', '/api/v2/jobs', { ...of, memory: '512' })).status).toBe(400);
    });
  });

  describe('what is wrong', () => {
    it.each([
      [{ ...of, env: { 'A B': '1' } }, '"env": has a name of other characters'],
      [{ ...of, cwd: '/nowhere' }, '"cwd": "/nowhere" is no folder of this host'],
      [{ ...of, memory: '5Mi' }, '"memory": "5Mi" is no amount of memory'],
      [{ ...of, ssh: 'a@b' }, '"ssh": this server sends no jobs to other hosts'],
      [{ ...of, image: 'a', ssh: 'a@b' }, '"ssh": a container job cannot go to another host'],
      [{ ...of, env: { A: 1 } }, '"env.A": has to be a text'],
      [{ ...of, env: [] }, '"env": has to be an object'],
      [{ ...of, labels: { a: 1 } }, '"labels.a": '],
      [{ ...of, timeout: 0 }, '"timeout": has to be more than 0'],
      [{ ...of, nice: 20 }, '"nice": has to be 19 or less'],
      [{ ...of, maxOutput: 5 }, '"maxOutput": has to be 1024 or more'],
      [{ ...of, labels: { 'a b': '' } }, '"labels": "a b" is no name'],
      [{ ...of, stdin: 5 }, '"stdin" has to be a text'],
      [{ command: ['true'] }, '"command" has to be a text'],
      [{ ...of, memory: 6291456.5 }, '"memory": has to be a whole number of bytes, or a text'],
      [{ ...of, nice: 1.5 }, '"nice" has to be a whole number'],
    ])('is told by the names of this API: %j', async (job, said) => {
      const { status, detail, hint } = await refused('POST', '/api/v2/jobs', job);
      expect([status >= 400 && status < 500, detail]).toEqual([
        true,
        expect.stringContaining(said),
      ]);
      expect(`${detail} ${hint}`).not.toMatch(/meta|container\.|Too (small|big)|^run:/);
    });

    it('is told so of a kill and a removal, too', async () => {
      const { id } = await api.submit({ command: 'sleep 100' });
      const kill = await refused('POST', `/api/v2/jobs/${id}/kill`, { signal: 'NO' });
      expect(kill.detail).toBe('the body: "signal": is no signal: TERM, SIGINT, 9, …');
      const removal = await refused('DELETE', `/api/v2/jobs/${id}`);
      expect([removal.status, removal.hint]).toEqual([
        409,
        'end it first, by POST to /kill below it',
      ]);
      await api.send('POST', `/api/v2/jobs/${id}/kill`, { signal: 'KILL' });
    });

    it.each([
      ['limit=0', '"limit": has to be 1 or more'],
      ['limit=1e9', '"limit": is not a whole number'],
      ['limit=1001', '"limit": has to be 1000 or less'],
      ['limt=5', 'there is no "limt"; is "limit" meant?'],
      ['fields=id,nope', '"fields.1" is none of id, jid,'],
      ['text=', '"text": is empty'],
      ['jid=a&jid=b', '"jid" is there several times'],
      ['since=2026-11-29', '"since": is no time of RFC 3339'],
    ])('is told of a query: %s', async (query, said) => {
      const { status, detail } = await refused('GET', `/api/v2/jobs?${query}`);
      expect([status, detail]).toEqual([400, expect.stringContaining(`the query: ${said}`)]);
    });

    it('is told that it wants to wait too long', async () => {
      const { id } = await api.submit(of);
      const { detail } = await refused('GET', `/api/v2/jobs/${id}?wait=99999s`);
      expect(detail).toBe('the query: "wait": is more than 9999 seconds');
    });

    it('finds a job by the microsecond in which it was accepted', async () => {
      const { id } = await api.submit(of);
      const { acceptedAt, ns } = await api.job(id);
      const us = Number(ns.accepted.slice(-9, -3));
      const at = `${acceptedAt?.slice(0, 19)}.${String(us).padStart(6, '0')}Z`;
      const has = async (query: string) => {
        const { body } = await api.send('GET', `/api/v2/jobs?fields=id&${query}=${at}`);
        return (body as { jobs: readonly { id: string }[] }).jobs.some((job) => job.id === id);
      };
      expect([await has('since'), await has('until')]).toEqual([true, false]);
    });

    it('is told as a problem, also where nothing of the request is looked at but its length', async () => {
      const long = 'x'.repeat(17 * 1024 * 1024);
      for (const body of [long, new Blob([long]).stream()]) {
        const answer = await fetch(api.url('/api/v2/jobs'), {
          ...{ method: 'POST', body, duplex: 'half' },
        } as RequestInit);
        const said = problemSchema.strict().parse(await answer.json());
        expect([answer.status, answer.headers.get('content-type'), said.code]).toEqual([
          ...[413, 'application/problem+json', 'payload_too_large'],
        ]);
      }
      // The envelope has a form of its own for it.
      const old = await server.request('POST', '/api/v1/cmd', { body: long });
      expect([old.status, old.text]).toEqual([413, expect.stringContaining('"status": false')]);
    });

    it('is told of a verb, with those that there are', async () => {
      for (const [method, path, allowed] of [
        ['DELETE', '/openapi.json', 'GET, HEAD'],
        ['PUT', '/api/v2/jobs', 'POST, GET, HEAD'],
        ['PATCH', '/api/v2/jobs/_-1/stdout', 'GET, HEAD'],
      ] as const) {
        const { status, headers } = await refused(method, path);
        expect([path, status, headers.get('allow')]).toEqual([path, 405, allowed]);
      }
    });
  });

  describe('half of a character', () => {
    const half = 'a\ud800b';

    it.each(
      Object.entries({
        ...{ jid: half, auid: half, command: half, cwd: half, stdin: half },
        ...{ env: { X: half }, labels: { x: half } },
      }),
    )('in %s is refused, and is never in an answer', async (name, value) => {
      const { status, detail } = await refused('POST', '/api/v2/jobs', { ...of, [name]: value });
      expect([status, detail]).toEqual([400, expect.stringContaining(`"${name}`)]);
      expect(detail).toContain('holds half of a character');
    });

    it('that an older client has in a name is told as U+FFFD, so that every reader takes the list', async () => {
      const sent = await server.post('run', { cmd: 'true', auid: half, jid: half });
      expect(sent.status).toBe(true);
      const texts = await Promise.all(
        ['jobs', 'jobs?fields=jid,auid', 'events?after=0'].map(async (path) => {
          const answer = await fetch(api.url(`/api/v2/${path}`));
          return answer.text();
        }),
      );
      for (const text of texts) {
        expect(text).not.toMatch(/\\ud[89a-f]/);
        expect(text).toContain('a\ufffdb');
      }
    });
  });

  describe('a query', () => {
    it('takes a list as one text or as several', async () => {
      const { id } = await api.submit({ command: 'exit 1', jid: 'listed' });
      await api.job(id, '?wait=20s');
      const ids = async (query: string) => (await api.page(`?jid=listed&${query}`)).jobs.length;
      expect(await ids('state=failed,killed')).toBe(1);
      expect(await ids('state=killed&state=failed')).toBe(1);
      expect(await ids('state=killed&state=lost')).toBe(0);
    });

    it('takes times as RFC 3339 has them, and as they come when nobody escapes the plus', async () => {
      const since = async (text: string) => (await api.page(`?since=${text}&limit=1`)).jobs.length;
      for (const text of [
        '2026-01-01T00:00:00Z',
        '2026-01-01t00:00:00z',
        '2026-01-01T00:00:00+01:00',
      ])
        expect([text, await since(text)]).toEqual([text, 1]);
    });

    it('names the job whose events are wanted as paths do, also one that was removed', async () => {
      const { id } = await api.submit(of);
      await api.job(id, '?wait=20s');
      const types = async (name: string) => {
        const { status, body } = await api.send('GET', `/api/v2/events?id=${name}`);
        const { events } = z
          .object({ events: z.array(z.looseObject({ type: z.string() })) })
          .parse(body);
        return [status, ...events.map(({ type }) => type)];
      };
      const all = [200, 'accepted', 'started', 'part_ended', 'ended'];
      const uuid = id.slice(id.indexOf('_') + 1);
      for (const name of [id, uuid, uuid.slice(0, 8), '_-1'])
        expect(await types(name)).toEqual(all);
      await api.send('DELETE', `/api/v2/jobs/${id}`);
      expect(await types(id)).toEqual([...all, 'removed']);
      const { status, hint } = await refused('GET', '/api/v2/events?id=nobody');
      expect([status, hint]).toEqual([404, 'of a job that was removed give the whole "id"']);
    });
  });

  describe('what a client takes', () => {
    it.each([
      ['TEXT/event-stream', 'text/event-stream'],
      ['application/json, text/event-stream', 'text/event-stream'],
      ['application/json, text/event-stream;q=0.5', 'application/json'],
      ['*/*, application/x-ndjson', 'application/x-ndjson'],
      ['application/x-ndjson;q=0', 'application/json'],
    ])('is read with its wishes: %s', async (accept, type) => {
      const gone = new AbortController();
      const answer = await fetch(api.url('/api/v2/events?after=0&limit=1'), {
        headers: { Accept: accept },
        signal: gone.signal,
      });
      expect(answer.headers.get('content-type')).toBe(type);
      gone.abort();
    });

    it('may stand in several lines of the head', async () => {
      const tag = (await api.send('GET', '/api/v2/capabilities')).headers.get('etag') ?? '';
      const head = `GET /api/v2/capabilities HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
      const tags = `If-None-Match: "other"\r\nIf-None-Match: ${tag}\r\n`;
      expect((await server.raw(`${head}${tags}\r\n`))?.status).toBe(304);
    });
  });
});

describe('a job with an image whose command this host runs', () => {
  it('has the environment that it was sent with, also when it is sent again', async () => {
    const here = await startServer({ flags: ['--container-env', 'host'] });
    const client = new ApiClient(here);
    const job = { image: 'any', command: 'echo "$A$B"', env: { A: '1' }, workers: 2 };
    const { id } = await client.submit(job);
    const again = await client.send('POST', `/api/v2/jobs/${id}/rerun`, { env: { B: '2' } });
    const { id: other } = jobSchema.parse(again.body);
    for (const [one, said] of [
      [id, '1\n'],
      [other, '2\n'],
    ]) {
      await client.job(one ?? '', '?wait=20s');
      expect((await client.send('GET', `/api/v2/jobs/${one}/stdout`)).body).toBe(said);
    }
    await endServer(here);
  });
});
