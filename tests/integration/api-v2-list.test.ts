import { get } from 'node:http';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REASONS } from '../../lib/jobs/states.ts';
import { writeHistory } from '../bench/writeHistory.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('the list of /api/v2', () => {
  let server: TestServer;
  let api: ApiClient;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    server = await startServer({ flags: ['--maxJobs', '1'] });
    api = new ApiClient(server);
    const jobs = {
      good: { command: 'echo Good', auid: 'a', labels: { step: '1', site: 'x' } },
      bad: { command: 'false', auid: 'b', jid: 'j', labels: { step: '2', site: 'x' } },
      long: { command: `true ${'x'.repeat(300)} NEEDLE`, auid: 'a', labels: { step: '1' } },
      killed: { command: 'sleep 100', auid: 'a' },
      running: { command: 'sleep 101', auid: 'a' },
      waiting: { command: 'sleep 102', auid: 'b' },
    };
    for (const [name, job] of Object.entries(jobs)) {
      const { id } = await api.submit(job);
      ids[name] = id;
      if (name === 'running' || name === 'waiting') continue;
      if (name === 'killed') {
        await eventually(async () => (await api.job(id)).state === 'running');
        await api.send('POST', `/api/v2/jobs/${id}/kill`, {});
      }
      await api.job(id, '?wait=20s');
    }
    await eventually(async () => (await api.job(ids.running ?? '')).state === 'running');
  });
  afterAll(async () => {
    for (const name of ['waiting', 'running']) {
      await api.send('POST', `/api/v2/jobs/${ids[name]}/kill`, {});
    }
    await endServer(server);
  });

  async function names(query: string): Promise<string[]> {
    const nameOf = (id: string) => Object.keys(ids).find((name) => ids[name] === id) ?? id;
    return (await api.page(query)).jobs.map(({ id }) => nameOf(id));
  }

  const cases: [string, string[]][] = [
    ['', ['waiting', 'running', 'killed', 'long', 'bad', 'good']],
    ['?sort=acceptedAt&limit=2', ['good', 'bad']],
    ['?state=killed', ['killed']],
    ['?state=failed,succeeded', ['long', 'bad', 'good']],
    ['?state=waiting', ['waiting']],
    ['?state=running,killed', ['running', 'killed']],
    ['?state=lost', []],
    ['?auid=b', ['waiting', 'bad']],
    ['?jid=j', ['bad']],
    ['?jid=j&auid=a', []],
    ['?label=step=1', ['long', 'good']],
    ['?label=step=1&label=site=x', ['good']],
    ['?label=step=', []],
    ['?text=good', ['good']],
    ['?text=needle', ['long']],
    ['?text=SLEEP&auid=a', ['running', 'killed']],
    ['?find=NEEDLE', ['long']],
    ['?find=j', ['bad']],
    ['?find=no+such', []],
    ['?name=J', ['bad']],
    ['?name=*', ['waiting', 'running', 'killed', 'long', 'bad', 'good']],
    ['?name=??', []],
    ['?backend=ssh,container', []],
    ['?backend=host&limit=1', ['waiting']],
    ['?until=2020-01-01T00:00:00Z', []],
    ['?since=2020-01-01T00:00:00%2B02:00&limit=1', ['waiting']],
  ];
  it.each(cases)('%s holds %j', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  it('finds a job by the beginning of its uuid', async () => {
    const uuid = ids.long?.split('_')[1] ?? '';
    expect(await names(`?find=${uuid.slice(0, 13)}`)).toEqual(['long']);
    expect(await names(`?find=${uuid.slice(1, 13)}`)).toEqual([]);
  });

  const none = { waiting: 0, starting: 0, running: 0, succeeded: 0, failed: 0, killed: 0, lost: 0 };
  it.each([
    ['', { waiting: 1, running: 1, succeeded: 2, failed: 1, killed: 1 }],
    ['&state=failed', { waiting: 1, running: 1, succeeded: 2, failed: 1, killed: 1 }],
    ['&auid=a', { running: 1, succeeded: 2, killed: 1 }],
    ['&find=needle', { succeeded: 1 }],
    ['&name=j', { failed: 1 }],
  ])('tells how many are in each state, of %j', async (query, counts) => {
    const page = await api.page(`?counts=1&limit=1&fields=id${query}`);
    expect(page).toMatchObject({ counts: { ...none, ...counts }, event: expect.any(Number) });
    expect(await api.page(`?limit=1${query}`)).not.toHaveProperty('counts');
  });

  it('is cut by the times of acceptance', async () => {
    const { acceptedAt } = await api.job(ids.long ?? '');
    expect(await names(`?since=${acceptedAt}`)).toEqual(['waiting', 'running', 'killed', 'long']);
    expect(await names(`?until=${acceptedAt}`)).toEqual(['bad', 'good']);
  });

  it('goes on page by page with the same filter', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await api.page(`?state=killed,succeeded,running&limit=1&sort=oldest${cursor}`);
      seen.push(...page.jobs.map(({ id }) => id));
      cursor = page.next === null ? '' : `&cursor=${page.next}`;
    } while (cursor !== '');
    expect(seen).toEqual([ids.good, ids.long, ids.killed, ids.running]);
  });

  it('begins behind a job or a number of them, from either end, with each filter', async () => {
    const { good = '', bad = '', long = '', killed = '' } = ids;
    expect(await names(`?after=${killed}`)).toEqual(['long', 'bad', 'good']);
    expect(await names(`?after=${bad}&sort=oldest&limit=2`)).toEqual(['long', 'killed']);
    expect(await names('?offset=3')).toEqual(['long', 'bad', 'good']);
    expect(await names('?offset=1&limit=1&sort=oldest')).toEqual(['bad']);
    expect(await names('?offset=1&state=killed,succeeded,running')).toEqual([
      ...['killed', 'long', 'good'],
    ]);
    expect(await names(`?after=${long}&offset=1`)).toEqual(['good']);
    expect(await names('?offset=7')).toEqual([]);
    const { next } = await api.page(`?after=${killed}&offset=1&limit=1`);
    // Behind the first page neither says anything: else a page would come over and over.
    expect(await names(`?after=${killed}&offset=1&cursor=${next}`)).toEqual(['good']);
    expect((await api.send('GET', `/api/v2/jobs?after=${good.slice(0, 30)}`)).status).toBe(400);
    expect((await api.send('GET', '/api/v2/jobs?offset=-1')).status).toBe(400);
  });

  it('has the members that are asked for, the same as a whole job has', async () => {
    const whole = await api.job(ids.bad ?? '');
    const page = await api.page('?jid=j&fields=state,command,labels,acceptedAt,links');
    const { id, state, command, labels, acceptedAt, links } = whole;
    expect(page.jobs).toEqual([{ id, state, command, labels, acceptedAt, links }]);
    expect((await api.page('?jid=j&fields=exitCode')).jobs).toEqual([{ id, exitCode: 1 }]);
    const wanted = ['id', 'exitCode', 'reason', 'startedAt', 'endedAt', 'place'] as const;
    const { jobs } = await api.page(`?fields=${wanted.join(',')}`);
    const wholes = await api.page('');
    const parts = wholes.jobs.map((job) => Object.fromEntries(wanted.map((n) => [n, job[n]])));
    expect(jobs).toEqual(parts);
    const long = await api.page('?text=needle&fields=command');
    expect(long.jobs[0]?.command).toContain('NEEDLE');
    expect((await api.send('GET', '/api/v2/jobs?fields=nix')).status).toBe(400);
  });

  it('is the same after a restart', async () => {
    await server.kill9();
    await server.restart();
    expect(await names('?state=killed,failed')).toEqual(['killed', 'bad']);
    expect(await names('?label=step=1')).toEqual(['long', 'good']);
    expect(await names('?state=running,waiting')).toEqual(['waiting', 'running']);
  });

  it('is not sent again to who has it', async () => {
    for (const path of ['/api/v2/jobs?state=failed', `/api/v2/jobs/${ids.bad}`]) {
      const first = await api.send('GET', path);
      const tag = first.headers.get('etag') ?? '';
      const again = await api.send('GET', path, undefined, { 'If-None-Match': `"x", ${tag}` });
      expect([again.status, again.body, again.headers.get('etag')]).toEqual([304, '', tag]);
      const other = await api.send('GET', path, undefined, { 'If-None-Match': '"x"' });
      expect(other.body).toEqual(first.body);
    }
  });

  it('is compressed for who takes that', async () => {
    const ask = (encoding: string) =>
      new Promise<{ encoding: string | undefined; body: Buffer }>((resolve, reject) => {
        const url = api.url('/api/v2/jobs?auid=a');
        get(url, { headers: { 'Accept-Encoding': encoding } }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({ encoding: answer.headers['content-encoding'], body: Buffer.concat(chunks) }),
          );
        }).on('error', reject);
      });
    const [plain, zipped] = [await ask('gzip;q=0, identity'), await ask('deflate, gzip;q=0.5')];
    expect([plain.encoding, zipped.encoding]).toEqual([undefined, 'gzip']);
    expect(zlib.gunzipSync(zipped.body)).toEqual(plain.body);
    expect(zipped.body.length).toBeLessThan(plain.body.length);
    // Node has Zstandard from 22.15 on.
    const { zstdDecompressSync: unpacked } = zlib as {
      zstdDecompressSync?: (bytes: Buffer) => Buffer;
    };
    const best = await ask('gzip, zstd');
    expect(best.encoding).toBe(unpacked === undefined ? 'gzip' : 'zstd');
    if (unpacked !== undefined) expect(unpacked(best.body)).toEqual(plain.body);
    expect((await ask('gzip, zstd;q=0')).encoding).toBe('gzip');
  });
});

describe('what lists show of jobs that have ended', () => {
  const members =
    'jid,auid,command,state,exitCode,reason,labels,backend,acceptedAt,startedAt,endedAt';

  it('is told without a look into their records', async () => {
    const folders = makeFolders(tempDir());
    // Nothing is in the folders of these records.
    writeHistory({ jobs: 20, folder: folders.DBpath, isThin: true });
    const server = await startServer({ folders });
    try {
      const { jobs } = await new ApiClient(server).page(`?sort=oldest&fields=${members}`);
      expect(jobs).toHaveLength(20);
      for (const [n, job] of jobs.entries()) {
        const isBad = n % 10 === 9;
        expect(job).toMatchObject({
          ...{ jid: `history-${n}`, auid: `user-${n % 10}`, command: `echo job ${n}` },
          ...{ state: isBad ? 'failed' : 'succeeded', exitCode: isBad ? 1 : 0 },
          reason: isBad ? { code: 'exit_code', message: REASONS.exit_code } : null,
        });
        const [startedAt = 0, endedAt = 0] = [job.startedAt, job.endedAt].map(millisecondsOf);
        expect(startedAt).toBe(millisecondsOf(job.acceptedAt));
        expect(endedAt - startedAt).toBeGreaterThanOrEqual(1234);
        expect(endedAt - startedAt).toBeLessThanOrEqual(1235);
      }
    } finally {
      await endServer(server);
    }
  });
});

const millisecondsOf = (time: string | null | undefined) => Date.parse(time ?? '');
