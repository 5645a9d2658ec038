import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { pythonEnv, pythonMissing, pythonProgram } from '../helpers/python.ts';
import {
  checkout,
  type Folders,
  makeFolders,
  startServer,
  type TestServer,
} from '../helpers/startServer.ts';
import { freePort } from '../replay/session.ts';

const JOBS = [
  { jid: 'simple', cmd: 'echo hello', status: 'finishedSuccessfully' },
  { jid: 'compound', cmd: 'echo a; ls /nowhere; echo c', status: 'finishedWithError' },
  {
    jid: 'ünï',
    cmd: 'printf "grüß 世界 \\"q\\" \\t😀"; echo é >&2',
    status: 'finishedSuccessfully',
  },
  { jid: 'running', cmd: 'echo first; sleep 60', status: 'started' },
] as const;

type Json = Readonly<Record<string, unknown>>;

async function statusOf(server: TestServer, jid: string): Promise<Json> {
  const reply = await server.post('status', { key: 'jid', value: jid });
  return Object(reply.d_ret) as Json;
}

async function rootsOf(server: TestServer): Promise<string[]> {
  const reply = (await server.request('GET', '/api/v1')).json() as { readonly GET: object };
  return Object.keys(reply.GET);
}

/** The whole record of one job, as GET shows it. */
async function recordOf(server: TestServer, root: string): Promise<unknown> {
  const reply = (await server.request('GET', `/api/v1/${root}`)).json() as { readonly GET: Json };
  return reply.GET[root];
}

async function runJobs(server: TestServer): Promise<void> {
  for (const { jid, cmd } of JOBS) {
    await server.post('run', { cmd, jid, auid: 'tester', threaded: true });
  }
  for (const { jid, status } of JOBS) {
    await eventually(
      async () => {
        const { l_status: [state] = [], '0.end': end } = (await statusOf(server, jid)) as {
          readonly l_status?: readonly string[];
          readonly '0.end'?: { readonly returncode: readonly number[] };
        };
        return state === status && (jid !== 'running' || end?.returncode.length === 1);
      },
      { message: `job ${jid} to be ${status}` },
    );
  }
}

describeWithEngine('the original reads what this pman writes', pythonMissing, () => {
  let ours: TestServer;
  let copy: Folders;
  const records = new Map<string, unknown>();

  beforeAll(async () => {
    ours = await startServer({ flags: ['--container-env', 'host', '--listeners', '4'] });
    await runJobs(ours);
    for (const root of await rootsOf(ours)) records.set(root, await recordOf(ours, root));
    await ours.post('DBctl', { do: 'save' });
    copy = makeFolders();
    cpSync(ours.folders.DBpath, copy.DBpath, { recursive: true });
  });

  afterAll(async () => {
    await ours.stop();
    ours.endJobs();
  });

  it('has four jobs to show', () => {
    expect(records.size).toBe(JOBS.length);
  });

  it('its loader finds the same trees that our GET shows, and nothing else', () => {
    const script = join(checkout, 'tests/engines/python/load_tree.py');
    const { status, stdout, stderr } = spawnSync(
      pythonProgram('python'),
      [script, ours.folders.DBpath],
      { encoding: 'utf8', env: { ...process.env, ...pythonEnv } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(Object.fromEntries(records));
  });

  it('started on a copy, it answers status, GET and search as ours does', async () => {
    const original = await startServer({
      command: [pythonProgram('python'), pythonProgram('pman')],
      flags: ['--rawmode', '1', '--listeners', '8', '--container-env', 'host', '--verbosity', '0'],
      env: pythonEnv,
      folders: copy,
      port: await freePort(),
    });
    try {
      expect((await rootsOf(original)).sort()).toEqual([...records.keys()].sort());
      for (const [root, record] of records) expect(await recordOf(original, root)).toEqual(record);
      for (const { jid } of JOBS) {
        const { l_status: _, ...theirs } = await statusOf(original, jid);
        // Its l_status looks at the first part only; the rest of the answer is the same.
        expect(theirs).toEqual(withoutLastRunning(jid, await statusOf(ours, jid)));
        const question = { key: 'jid', value: jid, job: '0', when: 'end', field: 'stdout' };
        const found = await original.post('search', question);
        expect(found.d_ret).toEqual((await ours.post('search', question)).d_ret);
      }
    } finally {
      // How it ends is its own affair: it may take long.
      await original.kill9();
    }
  });
});

/** While a compound job runs, the original's lists are one short (it drops the newest epoch). */
function withoutLastRunning(jid: string, { l_status: _, ...rest }: Json): Json {
  if (jid !== 'running') return rest;
  const start = rest['0.start'] as { readonly startTrigger: readonly boolean[] };
  return { ...rest, '0.start': { ...start, startTrigger: start.startTrigger.slice(0, -1) } };
}

describe('a database that the original wrote', () => {
  const sample = join(checkout, 'tests/golden/db-sample');
  const expected = JSON.parse(readFileSync(join(sample, 'expected.json'), 'utf8')) as {
    readonly roots: readonly string[];
    readonly status: Readonly<Record<string, Json>>;
    readonly search: Readonly<Record<string, object>>;
  };
  let server: TestServer | undefined;
  let folders: Folders;

  async function startOnSample({ withEmptyEnd }: { readonly withEmptyEnd: boolean }) {
    folders = makeFolders();
    cpSync(join(sample, 'pman'), folders.DBpath, { recursive: true });
    const end = join(folders.DBpath, expected.roots.at(-1) ?? '', 'end');
    expect(existsSync(end)).toBe(false);
    if (withEmptyEnd) mkdirSync(end);
    server = await startServer({ folders, flags: ['--container-env', 'host'] });
    return server;
  }

  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it('shows its jobs, oldest first', async () => {
    const ours = await startOnSample({ withEmptyEnd: true });
    expect(await rootsOf(ours)).toEqual(expected.roots);
  });

  it.each([
    ['sample-1', 'finishedSuccessfully'],
    ['sample-2', 'finishedWithError'],
    ['sample-3', 'finishedWithError'],
  ])('answers status of %s as the original, but for %s', async (jid, state) => {
    const ours = await startOnSample({ withEmptyEnd: true });
    expect(await statusOf(ours, jid)).toEqual({ ...expected.status[jid], l_status: [state] });
  });

  it.each([true, false])(
    'does not call a job started that nobody runs any more (its end folder there: %s)',
    async (withEmptyEnd) => {
      const ours = await startOnSample({ withEmptyEnd });
      const { l_status } = await statusOf(ours, 'sample-running');
      expect(l_status).toEqual(['finishedWithError']);
    },
  );

  it.each([
    ['sample-2 job 1 stderr', { key: 'jid', value: 'sample-2', job: '1', field: 'stderr' }],
    ['sample-3 job 0 stderr', { key: 'jid', value: 'sample-3', job: '0', field: 'stderr' }],
    ['auid alice', { key: 'auid', value: 'alice' }],
  ])('answers a search as the original: %s', async (name, question) => {
    const ours = await startOnSample({ withEmptyEnd: true });
    const { d_ret } = await ours.post('search', question);
    // Several hits: the original has them in the order of its folder, we by age.
    const wanted = Object.values(expected.search[name] ?? {});
    expect(wanted).not.toHaveLength(0);
    const found = Object.values(Object(d_ret));
    expect(found).toHaveLength(wanted.length);
    expect(found).toEqual(expect.arrayContaining(wanted));
  });
});
