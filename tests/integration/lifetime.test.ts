import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { within } from '../helpers/patience.ts';
import {
  endServer,
  isRunning,
  makeGate,
  resultOf,
  runJob,
  statesOf,
  untilEnded,
} from '../helpers/pman.ts';
import { signal } from '../helpers/processes.ts';
import {
  type Folders,
  makeFolders,
  type StartOptions,
  startServer,
  TestServer,
} from '../helpers/startServer.ts';

describe('the lifetime of pman and its jobs', () => {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await endServer(server);
  });
  async function start(flags: readonly string[] = [], options: StartOptions = {}) {
    const server = await startServer({ ...options, flags });
    servers.push(server);
    return server;
  }

  const startedOf = (server: TestServer, jid: string) =>
    eventually(async () => (await statesOf(server, jid))[0] === 'started', {
      message: `job ${jid} to start`,
    });
  const pidOf = (server: TestServer, jid: string) =>
    eventually(async () => Number((await resultOf(server, jid)).stdout[0]), {
      message: 'the job to tell its pid',
    });

  it('runs no more than --maxJobs at once, in order', async () => {
    const server = await start(['--maxJobs', '2']);
    const log = join(server.folders.cwd, 'log');
    const gate = makeGate(server);
    const jids: string[] = [];
    for (let k = 0; k < 10; k += 1) {
      jids.push(await runJob(server, `echo +${k} >> log && ${gate.wait} && echo -${k} >> log`));
    }
    for (const jid of jids.slice(0, 2)) await startedOf(server, jid);
    const states = await Promise.all(jids.map(async (jid) => (await statesOf(server, jid))[0]));
    expect(states).toEqual(['started', 'started', ...Array(8).fill('notstarted')]);
    const { d_ret } = await server.post('hello', { askAbout: 'health' });
    expect(d_ret).toMatchObject({ health: { jobs: { running: 2, waiting: 8, recorded: 10 } } });
    gate.open();
    for (const jid of jids) {
      expect((await untilEnded(server, jid)).status).toBe('finishedSuccessfully');
    }
    const signs = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.startsWith('+'));
    expect(signs).toHaveLength(20);
    let running = 0;
    for (const isBegun of signs) {
      running += isBegun ? 1 : -1;
      expect(running).toBeLessThanOrEqual(2);
    }
    // On a busy machine a job may be started and write much later: when it was started is in its record.
    const page = (await server.request('GET', '/api/v2/jobs')).json() as {
      readonly jobs: readonly { readonly jid: string; readonly ns: { readonly started: string } }[];
    };
    const inOrder = page.jobs.toSorted((one, other) =>
      Number(BigInt(one.ns.started) - BigInt(other.ns.started)),
    );
    expect(inOrder.map(({ jid }) => jid)).toEqual(jids);
  });

  it('keeps the order of waiting jobs over a restart, and kills one that waits', async () => {
    const server = await start(['--maxJobs', '1']);
    const gate = makeGate(server);
    const first = await runJob(server, gate.wait);
    const jids = [];
    for (const k of [1, 2, 3, 4]) jids.push(await runJob(server, `echo ${k} >> log`));
    const [, , third = ''] = jids;
    expect((await server.post('kill', { key: 'jid', value: third, auid: 'op' })).status).toBe(true);
    expect(await resultOf(server, third)).toMatchObject({
      status: 'finishedWithError',
      returncode: [],
    });
    await server.restart();
    expect(await statesOf(server, jids[0] ?? '')).toEqual(['notstarted']);
    const fourth = { key: 'jid', value: jids[3] ?? '' };
    expect((await server.post('result', fourth)).d_ret).toMatchObject({ 0: { place: 3 } });
    expect((await server.post('status', fourth)).d_ret).toMatchObject({ '0.start': { place: 3 } });
    gate.open();
    for (const jid of [first, ...jids.filter((jid) => jid !== third)]) {
      expect((await untilEnded(server, jid)).status).toBe('finishedSuccessfully');
    }
    expect(readFileSync(join(server.folders.cwd, 'log'), 'utf8')).toBe('1\n2\n4\n');
  });

  it.each<[string, readonly string[], object]>([
    ['quit with jobs "end"', [], { jobs: 'end' }],
    ['quit with --jobsAtExit end', ['--jobsAtExit', 'end'], {}],
  ])('%s ends the jobs, and their records say so', async (_, flags, meta) => {
    const server = await start([...flags, '--maxJobs', '1']);
    const jid = await runJob(server, 'echo $$ && exec sleep 60; echo never');
    const waiting = await runJob(server, 'echo never');
    const pid = await pidOf(server, jid);
    expect((await server.post('quit', meta)).status).toBe(true);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(isRunning(pid)).toBe(false);
    await server.restart([]);
    const result = await resultOf(server, jid);
    expect(result).toMatchObject({
      status: 'finishedWithError',
      returncode: [-15],
      cause: ['ended with pman (SIGTERM)'],
    });
    const api = new ApiClient(server);
    const { body } = await api.send('GET', '/api/v2/jobs');
    const { jobs } = body as { readonly jobs: readonly { readonly id: string }[] };
    for (const { id } of jobs) {
      expect(await api.job(id)).toMatchObject({ state: 'killed', reason: { code: 'killed' } });
    }
    expect(await resultOf(server, waiting)).toMatchObject({
      status: 'finishedWithError',
      stdout: [],
    });
  });

  it('does not take a job for done that it has ended, and that exits with 0 on the signal', async () => {
    const server = await start(['--jobsAtExit', 'end']);
    const cmd = `exec sh -c "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"; echo never`;
    const jid = await runJob(server, cmd);
    await eventually(async () => (await resultOf(server, jid)).stdout?.[0] === 'up\n');
    await server.stop();
    await server.restart([]);
    const api = new ApiClient(server);
    const { body } = await api.send('GET', `/api/v2/jobs?jid=${jid}`);
    const { jobs } = body as { readonly jobs: readonly object[] };
    expect(jobs).toMatchObject([{ state: 'killed', exitCode: 0, reason: { code: 'killed' } }]);
    expect((await resultOf(server, jid)).status).toBe('finishedWithError');
  });

  it('learns of an end that nobody told it, as when the runner dies in between', async () => {
    const server = await start();
    const jid = await runJob(server, 'echo $$ && exec sleep 60');
    const pid = await pidOf(server, jid);
    const { jobRoot } = await resultOf(server, jid);
    const journal = join(`${server.folders.DBpath}.spool`, 'jobs', jobRoot, 'job.jsonl');
    const end = { endedAt: Date.now(), returncode: 5, last: true };
    appendFileSync(journal, `${JSON.stringify({ part: 0, end })}\n`);
    const { status, returncode } = await untilEnded(server, jid, 15_000);
    expect([status, returncode]).toEqual(['finishedWithError', [5]]);
    signal(pid, 'SIGKILL');
  });

  it.each<[string, readonly string[], object | undefined]>([
    ['SIGTERM', [], undefined],
    ['quit', [], {}],
    ['quit with jobs "leave"', ['--jobsAtExit', 'end'], { jobs: 'leave' }],
  ])('%s leaves the jobs running', async (_, flags, meta) => {
    const server = await start(flags);
    const gate = makeGate(server);
    const jid = await runJob(server, `echo $$ && ${gate.wait} && exit 7`);
    const pid = await pidOf(server, jid);
    if (meta === undefined) await server.stop();
    else {
      await server.post('quit', meta);
      await server.exited;
    }
    expect(isRunning(pid)).toBe(true);
    await server.restart([]);
    expect((await resultOf(server, jid)).status).toBe('started');
    gate.open();
    expect((await untilEnded(server, jid)).returncode).toEqual([7]);
  });

  it('keeps to an order to end a job when pman and its runner are killed right after', async () => {
    const server = await start();
    const jid = await runJob(server, "trap '' TERM && echo $$ && while :; do sleep 0.05; done");
    const pid = await pidOf(server, jid);
    await server.post('kill', { key: 'jid', value: jid, grace: 1.5 });
    const runners = server.children().filter(({ command }) => command.includes('runnerProcess'));
    for (const runner of runners) signal(runner.pid, 'SIGKILL');
    await server.kill9();
    expect(isRunning(pid)).toBe(true);
    await server.restart();
    await eventually(() => !isRunning(pid), {
      timeoutMs: 6000,
      message: 'the job that a client was told is being ended to end',
    });
    const { status, cause } = await untilEnded(server, jid);
    expect(['lost', 'finishedWithError']).toContain(status);
    expect(cause?.join()).toContain('ended by a kill request');
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s with --jobsAtExit end ends the jobs',
    async (name) => {
      const server = await start(['--jobsAtExit', 'end', '--killGrace', '0.3']);
      const jid = await runJob(server, "trap '' TERM && echo $$ && while :; do sleep 0.05; done");
      const pid = await pidOf(server, jid);
      signal(server.pid, name);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(isRunning(pid)).toBe(false);
      await server.restart([]);
      expect(await resultOf(server, jid)).toMatchObject({
        returncode: [-9],
        cause: ['ended with pman (SIGKILL)'],
      });
    },
  );

  it('ends within a second of SIGTERM while a job runs, and finds its exit code', async () => {
    const server = await start();
    const gate = makeGate(server);
    const whileDown = await runJob(server, 'echo up; sleep 0.3; exit 5');
    const whileUp = await runJob(server, `echo up && ${gate.wait} && exit 6; exit 4`);
    const held = server.post('run', { cmd: gate.wait, auid: 'a', jid: 'held' }).catch(() => null);
    for (const jid of [whileDown, whileUp, 'held']) await startedOf(server, jid);
    const asked = performance.now();
    const exit = await server.stop();
    const tookMs = performance.now() - asked;
    expect(exit).toEqual({ code: 0, signal: null });
    expect(tookMs).toBeLessThan(within(1000));
    await held;
    // Nobody looks while the first one ends.
    await eventually(() => !server.children().some(({ command }) => /sleep 0\.3/.test(command)));
    const begun = performance.now();
    await server.restart();
    const upMs = performance.now() - begun;
    console.log(
      `SIGTERM to the end ${tookMs.toFixed()} ms, start to the first answer ${upMs.toFixed()} ms`,
    );
    expect(upMs).toBeLessThan(within(3000));
    expect((await untilEnded(server, whileDown)).returncode).toEqual([0, 0, 5]);
    gate.open();
    expect((await untilEnded(server, whileUp)).returncode).toEqual([6, 4]);
    expect((await untilEnded(server, 'held')).returncode).toEqual([0]);
  });

  it('finds the exit codes after a kill -9, too', async () => {
    const server = await start();
    const gate = makeGate(server);
    const jid = await runJob(server, `echo before && ${gate.wait}; echo after && exit 9`);
    await startedOf(server, jid);
    await server.kill9();
    gate.open();
    await server.restart();
    const { returncode, stdout } = await untilEnded(server, jid);
    expect([returncode, stdout]).toEqual([
      [0, 9],
      ['before\n', 'after\n'],
    ]);
  });

  it('refuses a second pman on one database, with a hint, and serves on', async () => {
    const server = await start();
    const jid = await runJob(server, 'sleep 60');
    await startedOf(server, jid);
    const second = new TestServer({ folders: server.folders });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    const lines = second.output.stderr.trim().split('\n');
    expect(lines[0]).toMatch(/^pman: the database is in use: another pman works in .*db/);
    expect(lines.slice(1)).toEqual([expect.stringContaining('--DBpath')]);
    expect(await statesOf(server, jid)).toEqual(['started']);
    await server.post('kill', { key: 'jid', value: jid });
    await untilEnded(server, jid);
  });

  it('gives the database to one of several that start at once', async () => {
    const folders: Folders = makeFolders();
    const dead = await start([], { folders });
    await dead.kill9();
    dead.endJobs();
    const rivals = [1, 2, 3].map(() => new TestServer({ folders }));
    servers.push(...rivals);
    await eventually(() => rivals.filter(({ isRunning: runs }) => runs).length === 1, {
      message: 'all but one to give up',
    });
    const winner = rivals.find(({ isRunning: runs }) => runs);
    await winner?.ready();
    expect((await winner?.post('hello', { askAbout: 'health' }))?.status).toBe(true);
  });

  it('takes a database whose index is gone or garbled', async () => {
    const server = await start();
    const jid = await runJob(server, 'exit 3');
    await untilEnded(server, jid);
    const index = join(`${server.folders.DBpath}.spool`, 'index.jsonl');
    await server.stop();
    expect(readFileSync(index, 'utf8')).toContain(jid);
    rmSync(index);
    await server.restart();
    expect(await statesOf(server, jid)).toEqual(['finishedWithError']);
    await server.stop();
    expect(readFileSync(index, 'utf8')).toContain(jid);
  });
});
