import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { itWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { checkout, makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

jest.setTimeout(120_000);

const PROMTOOL = join(checkout, 'tests/engines/promtool.sh');
const promtool = /^PMAN_TEST_PROMTOOL=(.*)$/m.exec(
  spawnSync('sh', [PROMTOOL, 'status'], { encoding: 'utf8' }).stdout,
)?.[1];
const promtoolMissing = () =>
  promtool === undefined ? 'no promtool: tests/engines/promtool.sh up' : undefined;

async function figures(server: TestServer, accept = '*/*'): Promise<string> {
  const answer = await server.request('GET', '/metrics', { headers: { Accept: accept } });
  expect(answer.status).toBe(200);
  return answer.text;
}

/** Name and labels, and value. */
function samplesIn(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = line, value] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

const namesIn = (text: string) =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({ name, type }));

describe('/metrics', () => {
  let server: TestServer;
  let client: ApiClient;

  beforeAll(async () => {
    server = await startServer({ flags: ['--maxJobs', '1', '--listeners', '7'] });
    client = new ApiClient(server);
    for (const command of ['echo hello', 'exit 3']) {
      const { id } = await client.submit({ command });
      await client.job(id, '?wait=30s');
    }
    const { id } = await client.submit({ command: 'sleep 600' });
    const waits = await client.submit({ command: 'true' });
    await eventually(async () => (await client.job(id)).state === 'running');
    const killed = await client.submit({ command: 'true' });
    await client.send('POST', `/api/v2/jobs/${killed.id}/kill`, {});
    await client.job(killed.id, '?wait=30s');
    expect(waits.state).toBe('waiting');
  });

  afterAll(async () => {
    const { jobs } = await client.page('?state=waiting,running');
    for (const { id } of jobs) await client.send('POST', `/api/v2/jobs/${id}/kill`, { grace: 0 });
    for (const { id } of jobs) await client.job(id, '?wait=30s');
    await endServer(server);
  });

  it('counts jobs by state, back-end and reason', async () => {
    const seen = await eventually(async () => {
      const samples = samplesIn(await figures(server));
      return samples.get('pman_jobs_ended_total{backend="host",state="killed",reason="killed"}') ===
        1
        ? samples
        : undefined;
    });
    const value = (name: string) => seen.get(name);
    expect(value('pman_jobs_ended_total{backend="host",state="succeeded",reason="none"}')).toBe(1);
    expect(value('pman_jobs_ended_total{backend="host",state="failed",reason="exit_code"}')).toBe(
      1,
    );
    expect(value('pman_jobs_accepted_total{backend="host"}')).toBe(5);
    expect(value('pman_jobs{backend="host",state="running"}')).toBe(1);
    expect(value('pman_jobs{backend="host",state="waiting"}')).toBe(1);
    expect(value('pman_job_queue_seconds_count{backend="host"}')).toBe(3);
    expect(value('pman_job_run_seconds_count{backend="host"}')).toBe(2);
    expect(value('pman_job_acceptance_seconds_count')).toBe(5);
    expect(value('pman_job_output_bytes_total')).toBe('hello\n'.length);
    expect(value('pman_records')).toBe(5);
    expect(value('pman_listeners')).toBe(7);
    expect(value('pman_http_requests_total{method="POST",code="201"}')).toBe(5);
    expect(value('pman_stored_bytes')).toBeGreaterThan(0);
    expect(value('pman_disk_size_bytes')).toBeGreaterThan(value('pman_disk_free_bytes') ?? 0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('has no figure that the page about it does not have, and the other way round', async () => {
    const told = namesIn(await figures(server)).map(({ name, type }) => `${name} ${type}`);
    const page = readFileSync(join(checkout, 'docs/metrics.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram|summary) \|/gm)];
    expect(rows.map(([, name, type]) => `${name} ${type}`).sort()).toEqual(told.sort());
  });

  it('has each figure that the dashboard shows', async () => {
    const text = await figures(server);
    const known = new Set(
      namesIn(text).flatMap(({ name, type }) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const dashboard = JSON.parse(
      readFileSync(join(checkout, 'docs/grafana-dashboard.json'), 'utf8'),
    ) as { panels: { targets?: { expr: string }[] }[] };
    const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const named = queries.flatMap((expr) => expr.match(/\b(?:pman|process|nodejs)_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('speaks OpenMetrics to who accepts it, also when others ask for the text at once', async () => {
    const accept = 'application/openmetrics-text; version=1.0.0,text/plain;q=0.5';
    const [open, text] = await Promise.all([figures(server, accept), figures(server)]);
    expect(open).toMatch(/\n# EOF\n$/);
    expect(open).toContain('# TYPE pman_jobs_accepted counter\npman_jobs_accepted_total{');
    expect(open).not.toMatch(/\n\n/);
    expect(text).toContain('# TYPE pman_jobs_accepted_total counter\n');
    const { header } = await server.request('GET', '/metrics', { headers: { Accept: accept } });
    expect(header('content-type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
  });

  itWithEngine('keeps to the rules of promtool', promtoolMissing, async () => {
    const check = (input: string) => {
      const args = ['check', 'metrics'];
      const { status, stdout, stderr } = spawnSync(promtool ?? '', args, {
        input,
        encoding: 'utf8',
      });
      return [stdout, stderr, status];
    };
    expect(check(await figures(server))).toEqual(['', '', 0]);
    expect(check('a_total 1\n')).toEqual(['', expect.stringContaining('no help text'), 3]);
  });
});

describe('with tokens', () => {
  const READ = 'read-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
  const RUN = 'run-0f1e2d3c4b5a69788796a5b4c3d2e1f0a';
  const ANA = 'ana-0f1e2d3c4b5a69788796a5b4c3d2e1f0a';
  let server: TestServer;

  beforeAll(async () => {
    const folders = makeFolders();
    const file = join(folders.home, 'tokens.ini');
    const section = (name: string, token: string, more: string) =>
      `[TOKEN ${name}]\nvalue = ${token}\n${more}\n`;
    writeFileSync(
      file,
      section('reader', READ, 'scopes = read') +
        section('runner', RUN, 'scopes = run') +
        section('ana', ANA, 'scopes = read\nauid = ana'),
      { mode: 0o600 },
    );
    server = await startServer({ folders, flags: ['--enableTokenAuth', '--tokenPath', file] });
  });

  afterAll(() => endServer(server));

  it.each([
    ['/metrics', undefined, 401],
    ['/metrics', 'wrong', 401],
    ['/metrics', RUN, 403],
    ['/metrics', ANA, 403],
    ['/metrics', READ, 200],
    ['/livez', undefined, 200],
    ['/readyz', undefined, 200],
    ['/livez', 'wrong', 200],
    ['http://localhost/livez', undefined, 200],
    ['http://localhost/readyz', undefined, 200],
    ['/livez/', undefined, 401],
    ['/readyz?verbose=1', undefined, 401],
  ])('%s with the token %s is answered with %d', async (path, token, status) => {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    const answer = await server.request('GET', path, { headers });
    expect(answer.status).toBe(status);
    if (status === 200 && path !== '/metrics') expect(answer.text).toBe('ok\n');
  });
});

describe('/readyz', () => {
  it('says why a server should get no requests', async () => {
    const server = await startServer({ flags: ['--jobsAtExit', 'end', '--killGrace', '60'] });
    const client = new ApiClient(server);
    const { id } = await client.submit({
      command: "trap '' TERM; while :; do sleep 0.1; done",
      shell: true,
    });
    await eventually(async () => (await client.job(id)).state === 'running');
    expect((await server.request('GET', '/readyz')).status).toBe(200);
    const stopped = server.stop();
    const refused = await eventually(async () => {
      const answer = await server.request('GET', '/readyz');
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.text).toBe('pman is ending\n');
    expect((await server.request('GET', '/livez')).status).toBe(200);
    await client.send('POST', `/api/v2/jobs/${id}/kill`, { signal: 'KILL' });
    await stopped;
    server.endJobs();
  });
});
