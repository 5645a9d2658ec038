import { mkdirSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { act, endServer, replyOf, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { signal } from '../helpers/processes.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('limits of a job', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  const outcome = async (cmd: string, meta: Record<string, unknown>, timeoutMs?: number) =>
    untilEnded(server, await runJob(server, cmd, meta), timeoutMs);

  it('ends a job at its time limit and says so; no further part runs', async () => {
    const start = performance.now();
    const { status, returncode, cause } = await outcome('sleep 60; echo never', { timeout: 0.4 });
    expect(performance.now() - start).toBeGreaterThan(390);
    expect([status, returncode]).toEqual(['finishedWithError', [-15]]);
    expect(cause).toEqual(['time limit 0.4 s (SIGTERM)']);
  });

  it('does not take a job for done that ends well on the signal: its further parts were not run', async () => {
    const cmd = "trap 'exit 0' TERM && while :; do sleep 0.05; done; echo never";
    const { status, returncode, cause } = await outcome(cmd, { timeout: 0.5 });
    expect([status, returncode]).toEqual(['finishedWithError', [0]]);
    expect(cause).toEqual(['time limit 0.5 s (SIGTERM)']);
  });

  it('counts the time of the whole job, not of a part', async () => {
    const { returncode, cause } = await outcome('sleep 0.3; sleep 0.3; sleep 60; true', {
      timeout: 0.9,
    });
    expect(returncode).toEqual([0, 0, -15]);
    expect(cause[2]).toContain('time limit');
  });

  it('leaves a job alone that is done in time', async () => {
    const { returncode, cause } = await outcome('true', { timeout: 5 });
    expect([returncode, cause]).toEqual([[0], [null]]);
  });

  it('kills what ignores its time limit, five seconds later', async () => {
    const { returncode, cause } = await outcome(
      "trap '' TERM && while :; do sleep 0.05; done",
      { timeout: 0.1 },
      15_000,
    );
    expect(returncode).toEqual([-9]);
    expect(cause).toEqual(['time limit 0.1 s (SIGKILL)']);
  });

  it('takes a time limit of a hundred days for what it is', async () => {
    const { returncode } = await outcome('sleep 0.1', { timeout: 8_640_000 });
    expect(returncode).toEqual([0]);
  });

  it('keeps the time limit of a job whose runner is killed', async () => {
    const jid = await runJob(server, 'echo $$ && exec sleep 60', { timeout: 1.5 });
    await eventually(async () => Number((await resultOf(server, jid)).stdout[0]) > 0, {
      message: 'the job to run',
    });
    const runner = server.children().find(({ command }) => command.includes('runnerProcess'));
    if (runner === undefined) throw new Error('there is no runner');
    signal(runner.pid, 'SIGKILL');
    const { status, cause } = await untilEnded(server, jid);
    expect(status).toBe('lost');
    expect(cause[0]).toMatch(/^time limit 1\.5 s \(SIGTERM\), unseen/);
    // Clients of the original wait for a word with `finished` in it.
    const { d_ret } = await server.post('status', { key: 'jid', value: jid });
    expect(d_ret).toMatchObject({
      l_status: ['finishedWithError'],
      '0.end': { returncode: [null] },
    });
  });

  /** What is said at `hello` of who holds jobs to their limits. */
  const limitedBy = async () => {
    const { d_ret } = await server.post('hello', { askAbout: 'health' });
    return (d_ret as { health: { limitedBy: Record<'memory' | 'cpu', string> } }).health.limitedBy;
  };
  const recordOf = async (jid: string) => {
    const { jobs } = (await server.request('GET', `/api/v2/jobs?jid=${jid}`)).json() as {
      jobs: ReadonlyArray<{ id: string; limits: unknown }>;
    };
    const [job] = jobs;
    const record = (await server.request('GET', `/api/v1/${job?.id}/start/0/startInfo`)).text;
    return { limits: job?.limits, record };
  };

  it('says in the record, and to whoever asks, what holds a job to its limits', async () => {
    const { memory, cpu } = await limitedBy();
    const meta = { memory_limit: 200, cpu_limit: 1000 };
    const jid = await runJob(server, 'true', meta);
    await untilEnded(server, jid);
    const { limits, record } = await recordOf(jid);
    expect(limits).toEqual({
      memory: { bytes: 200 * 1024 * 1024, by: memory },
      cpu: { cpus: 1, by: cpu },
    });
    expect(record).toContain(`"by": "${cpu}"`);
    const without = await runJob(server, 'true');
    await untilEnded(server, without);
    expect((await recordOf(without)).limits).toBeNull();
  });

  it('gives a job no more processors than were asked for', async () => {
    const group = '/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)';
    const { cpu } = await limitedBy();
    const cmd = cpu === 'cgroup' ? `cat ${group}/cpu.max` : 'nproc';
    const { stdout } = await outcome(cmd, { cpu_limit: '600m', shell: true });
    expect(stdout).toEqual([cpu === 'cgroup' ? '60000 100000\n' : '1\n']);
  });

  it('ends a job that takes too much memory, or refuses it that, and says which', async () => {
    const { memory } = await limitedBy();
    const take = 'head -c 200m /dev/zero | tail -c 200m | wc -c';
    const { stdout, stderr, cause } = await outcome(take, { memory_limit: 100 });
    expect(stdout).not.toEqual(['209715200\n']);
    if (memory === 'cgroup')
      expect(cause).toEqual(['the job ran out of memory: its limit is 100Mi']);
    else expect(stderr[0]).toMatch(/memory/);
  });

  it('gives each process the memory that was asked for, and no more', async () => {
    if ((await limitedBy()).memory === 'cgroup') return; // of all of them together: the test above
    const take = `head -c 200m /dev/zero | tail -c 200m | wc -c`;
    const little = await outcome(take, { memory_limit: '100Mi' });
    expect(little.stdout).not.toEqual(['209715200\n']);
    expect(little.stderr[0]).toMatch(/memory/);
    const enough = await outcome(take, { memory_limit: '1Gi' });
    expect([enough.returncode, enough.stdout]).toEqual([[0], ['209715200\n']]);
    const both = await outcome('ulimit -v; ulimit -v', { memory_limit: 512 * 1024 * 1024 });
    expect(both.stdout).toEqual(['524288\n', '524288\n']);
  });

  it('lowers the priority', async () => {
    const own = getPriority();
    const { stdout } = await outcome('nice', { nice: 5 });
    expect(stdout).toEqual([`${own + 5}\n`]);
  });

  it('sets variables on top of those of pman, quotes and line ends included', async () => {
    const env = { A: `it's "x" $B \\ ü\ny`, PATH_TO: '' };
    const { stdout } = await outcome('printf %s "$A"; echo "$HOME:$PATH_TO."', { env });
    expect(stdout).toEqual([env.A, `${server.folders.home}:.\n`]);
  });

  it('runs in the folder that was asked for, in pman’s own without', async () => {
    const cwd = join(server.folders.root, "a 'strange' $folder; -x");
    mkdirSync(cwd);
    expect((await outcome('pwd; pwd', { cwd })).stdout).toEqual([`${cwd}\n`, `${cwd}\n`]);
    expect((await outcome('pwd', {})).stdout).toEqual([`${server.folders.cwd}\n`]);
  });

  it('keeps all limits at once, and runs a command that begins with a dash', async () => {
    const meta = { timeout: 5, memory_limit: '1Gi', nice: 1, env: { A: '1' }, cwd: '/' };
    const { stdout, returncode } = await outcome('echo $A $(pwd) $(ulimit -v); -x', meta);
    const isGroup = (await limitedBy()).memory === 'cgroup';
    expect(stdout[0]).toBe(`1 / ${isGroup ? 'unlimited' : 1048576}\n`);
    expect(returncode).toEqual([0, 127]);
  });

  it('writes down what a job has used', async () => {
    const jid = await runJob(
      server,
      'i=0 && while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 0.2',
    );
    const { jobRoot } = await untilEnded(server, jid);
    const answer = await server.request('GET', `/api/v1/${jobRoot}/end/1/endInfo`);
    const text = JSON.stringify(answer.json());
    const used = [...text.matchAll(/"usage":(\{.*?\})/g)].map(
      ([, usage = '']) => JSON.parse(usage) as Record<string, number | string>,
    );
    expect(used.length).toBeGreaterThanOrEqual(2);
    const [busy, idle] = used;
    expect(Number(busy?.user_seconds) + Number(busy?.system_seconds)).toBeGreaterThan(0.01);
    expect(Number(idle?.wall_seconds)).toBeGreaterThan(0.19);
    expect(Number(idle?.user_seconds)).toBeLessThan(0.1);
    expect(busy?.source).toBe('wait4');
  });

  it('says why a part ended that nobody asked to', async () => {
    const { cause, returncode } = await outcome('kill -SEGV $$; exit 3; true', {});
    expect(returncode).toEqual([-11, 3, 0]);
    expect(cause).toEqual(['killed by SIGSEGV', null, null]);
  });

  it('ends with 126 and a reason when the folder has gone before it starts', async () => {
    const cwd = join(server.folders.root, 'gone');
    mkdirSync(cwd);
    const { returncode, stderr } = await outcome(`rmdir '${cwd}'; echo never`, { cwd });
    expect(returncode).toEqual([0, 126]);
    expect(stderr[1]).toContain('gone');
  });

  it.each<[string, unknown]>([
    ['timeout', 0],
    ['timeout', '5'],
    ['timeout', 1e9],
    ['memory_limit', '12 elephants'],
    ['memory_limit', 5],
    ['memory_limit', null],
    ['memory_limit', '5Mi'],
    ['cpu_limit', 'fast'],
    ['cpu_limit', -1],
    ['cpu_limit', []],
    ['nice', 20],
    ['nice', 1.5],
    ['env', { 'A=B': 'x' }],
    ['env', { A: 5 }],
    ['env', ['A=b']],
    ['cwd', 'relative'],
    ['cwd', '/no/such/folder'],
    ['cwd', '/etc/passwd/x'],
    ['cwd', 7],
    ['key', 7],
  ])('refuses %s %j, naming it, and runs nothing', async (name, value) => {
    const file = join(server.folders.cwd, 'ran');
    const jid = `wrong-${name}-${JSON.stringify(value)}`;
    const meta = { cmd: `touch '${file}'`, auid: 'a', jid, threaded: true, [name]: value };
    const answer = await act(server, 'run', meta);
    expect(answer.status).toBe(400);
    expect(replyOf(answer).error?.message).toContain(`meta.${name}`);
    await expect(resultOf(server, jid)).rejects.toThrow('there is no job');
  });

  it('refuses a file in the place of a folder', async () => {
    const cwd = join(server.folders.root, 'file');
    writeFileSync(cwd, '');
    const answer = await act(server, 'run', { cmd: 'true', auid: 'a', jid: 'f', cwd });
    expect(answer.status).toBe(400);
  });
});

describe('what the server allows at most', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: ['--maxMemory', '512Mi', '--maxCpu', '1'] });
  });
  afterAll(() => endServer(server));

  it.each([
    ['a job that asks for nothing', {}, 512],
    ['a job that asks for more', { memory_limit: '2Gi', cpu_limit: '64' }, 512],
    ['a job that asks for less', { memory_limit: '256Mi' }, 256],
  ])('is what %s has', async (_, meta, mebi) => {
    const jid = await runJob(server, 'true', meta);
    await untilEnded(server, jid);
    const answer = await server.request('GET', `/api/v2/jobs?jid=${jid}`);
    expect((answer.json() as { jobs: unknown[] }).jobs[0]).toMatchObject({
      limits: { memory: { bytes: mebi * 1024 * 1024 }, cpu: { cpus: 1 } },
    });
  });
});
