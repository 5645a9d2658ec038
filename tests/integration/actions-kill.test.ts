import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { within } from '../helpers/patience.ts';
import {
  act,
  endServer,
  expectListener,
  isRunning,
  makeGate,
  replyOf,
  resultOf,
  runJob,
  untilEnded,
} from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('kill', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      flags: ['--listeners', '1', '--maxJobs', '6', '--killGrace=1.2'],
    });
  });
  afterAll(async () => {
    await expectListener(server);
    await endServer(server);
  });

  const kill = async (jid: string, meta: object = {}) =>
    (await server.post('kill', { key: 'jid', value: jid, ...meta })) as {
      status: boolean;
      d_ret: Record<string, { killed: boolean; signal: string; jobRoot: string }>;
    };

  /** Waits for the pids that the job prints, a line each. */
  const pidsOf = (jid: string, count = 1) =>
    eventually(async () => {
      const pids = (await resultOf(server, jid)).stdout.join('').trim().split('\n').map(Number);
      return pids.length >= count && pids.every((pid) => pid > 0) ? pids : undefined;
    });

  it('ends a job by TERM and writes down who did it and how', async () => {
    const jid = await runJob(server, 'echo $$; exec sleep 60');
    // `echo` is a part of its own: the second one is what runs.
    await eventually(async () => (await resultOf(server, jid)).returncode.length === 2);
    const reply = await kill(jid, { auid: 'operator' });
    expect(reply).toMatchObject({
      status: true,
      d_ret: { 0: { killed: true, signal: 'SIGTERM' } },
    });
    const { status, returncode, cause } = await untilEnded(server, jid);
    expect([status, returncode]).toEqual(['finishedWithError', [0, -15]]);
    expect(cause).toEqual([null, expect.stringMatching(/kill request of operator.*SIGTERM/)]);
  });

  it('ends the whole process group, grandchildren and all', async () => {
    const jid = await runJob(
      server,
      '(sh -c "sleep 61 & echo \\$!; wait" & wait) & sleep 61 & echo $! && wait',
    );
    const pids = await pidsOf(jid, 2);
    expect(pids.every(isRunning)).toBe(true);
    expect((await kill(jid)).status).toBe(true);
    await untilEnded(server, jid);
    await eventually(() => !pids.some(isRunning), {
      message: 'grandchildren to end',
    });
  });

  it('sends KILL after the grace to what ignores TERM, not before', async () => {
    const jid = await runJob(server, "trap '' TERM && echo $$ && while :; do sleep 0.05; done");
    await pidsOf(jid);
    const started = performance.now();
    await kill(jid);
    const { returncode } = await untilEnded(server, jid);
    const tookMs = performance.now() - started;
    expect(returncode).toEqual([-9]);
    expect(tookMs).toBeGreaterThan(1190);
    expect(tookMs).toBeLessThan(within(5000));
  });

  it('takes the grace from the request', async () => {
    const jid = await runJob(server, "trap '' TERM && echo $$ && while :; do sleep 0.05; done");
    await pidsOf(jid);
    const started = performance.now();
    await kill(jid, { grace: 0 });
    expect((await untilEnded(server, jid)).returncode).toEqual([-9]);
    expect(performance.now() - started).toBeLessThan(within(1150));
  });

  it('ends a job with the signal that was asked for, also without a grace', async () => {
    for (let round = 0; round < 5; round += 1) {
      const jid = await runJob(server, 'echo $$ && exec sleep 100');
      await pidsOf(jid);
      await kill(jid, { grace: 0 });
      expect((await untilEnded(server, jid)).returncode).toEqual([-15]);
    }
  });

  it('lets a job end as it wants to within the grace', async () => {
    const jid = await runJob(
      server,
      'trap "sleep 0.1; echo tidied; exit 7" TERM && echo $$ && while :; do sleep 0.02; done',
    );
    await pidsOf(jid);
    await kill(jid);
    const { returncode, stdout } = await untilEnded(server, jid);
    expect(returncode).toEqual([7]);
    expect(stdout.join('')).toContain('tidied');
  });

  it('leaves the grace to a child that tidies up after its shell has gone', async () => {
    const gate = makeGate(server);
    const file = `${server.folders.cwd}/tidied`;
    const child = `trap "sleep 0.15; touch '${file}'; exit 0" TERM; echo $$; while :; do sleep 0.02; done`;
    const jid = await runJob(server, `sh -c ${quote(child)} & ${gate.wait}`);
    const [pid = 0] = await pidsOf(jid);
    await kill(jid);
    await untilEnded(server, jid);
    await eventually(() => !isRunning(pid));
    const { stdout } = await untilEnded(server, await runJob(server, `ls '${file}'`));
    expect(stdout[0]).toBe(`${file}\n`);
  });

  it.each([
    ['KILL', -9],
    ['SIGKILL', -9],
    ['9', -9],
    [9, -9],
    ['int', -2],
    ['USR1', -10],
  ])('sends the signal %p', async (signal, returncode) => {
    const jid = await runJob(server, 'echo $$ && sleep 62');
    await pidsOf(jid);
    await kill(jid, { signal });
    expect((await untilEnded(server, jid)).returncode).toEqual([returncode]);
  });

  it('ends also what is stopped', async () => {
    const jid = await runJob(server, 'echo $$ && kill -STOP $$');
    const [pid = 0] = await pidsOf(jid);
    await kill(jid);
    await untilEnded(server, jid);
    expect(isRunning(pid)).toBe(false);
  });

  it('of a compound job leaves out the parts that have not begun', async () => {
    const jid = await runJob(server, 'echo first; sleep 63; touch not-this; echo nor this');
    await eventually(async () => (await resultOf(server, jid)).returncode.length === 2);
    await kill(jid);
    const { returncode, stdout, status } = await untilEnded(server, jid);
    expect([status, returncode, stdout]).toEqual(['finishedWithError', [0, -15], ['first\n', '']]);
    const { stdout: seen } = await untilEnded(server, await runJob(server, 'ls'));
    expect(seen[0]).not.toContain('not-this');
  });

  it('of a job that has ended changes nothing', async () => {
    const jid = await runJob(server, 'echo over');
    const before = await untilEnded(server, jid);
    expect(await kill(jid)).toMatchObject({ status: false, d_ret: { 0: { killed: false } } });
    expect(await resultOf(server, jid)).toEqual(before);
  });

  it('twice is as good as once, and the second may be stronger', async () => {
    const jid = await runJob(server, "trap '' TERM && echo $$ && while :; do sleep 0.05; done");
    await pidsOf(jid);
    await kill(jid, { grace: 60 });
    const started = performance.now();
    await kill(jid, { signal: 'KILL' });
    expect((await untilEnded(server, jid)).returncode).toEqual([-9]);
    expect(performance.now() - started).toBeLessThan(within(10_000));
  });

  it('ends every job of one jid and says which had ended already', async () => {
    await server.post('run', { cmd: 'true', auid: 'a', jid: 'many' });
    for (let i = 0; i < 3; i += 1) await runJob(server, 'sleep 64', { jid: 'many' });
    const { d_ret } = await kill('many');
    expect(Object.values(d_ret).map(({ killed }) => killed)).toEqual([false, true, true, true]);
    await eventually(() => !server.children().some(({ command }) => command === 'sleep 64'));
  });

  it('ends a job at once that has only just been accepted, or waits for others', async () => {
    const gate = makeGate(server);
    const jids: string[] = [];
    for (let i = 0; i < 9; i += 1) jids.push(await runJob(server, `echo $$ && ${gate.wait}`));
    const last = jids.at(-1) ?? '';
    expect((await resultOf(server, last)).status).toBe('notstarted');
    expect((await kill(last)).status).toBe(true);
    const waiting = await untilEnded(server, last);
    expect([waiting.returncode, waiting.status]).toEqual([[], expect.stringMatching(/lost|Error/)]);
    gate.open();
    for (const jid of jids.slice(0, -1)) {
      expect((await untilEnded(server, jid)).returncode).toEqual([0]);
    }
    const eager = await runJob(server, 'sleep 65');
    expect((await kill(eager)).status).toBe(true);
    await untilEnded(server, eager);
  });

  it('makes the answer of a run that somebody waits for', async () => {
    const held = server.post('run', { cmd: 'sleep 66; echo no', auid: 'a', jid: 'waited-for' });
    await eventually(async () => (await resultOf(server, 'waited-for')).status === 'started');
    await kill('waited-for');
    expect((await held).status).toBe(true);
    expect((await resultOf(server, 'waited-for')).returncode).toEqual([-15]);
  });

  it('reaches a job whose runner was killed', async () => {
    const jid = await runJob(server, 'echo $$ && sleep 67');
    const [pid = 0] = await pidsOf(jid);
    const runner = server.children().find(({ command }) => command.includes('runnerProcess'));
    process.kill(runner?.pid ?? 0, 'SIGKILL');
    await eventually(() => !isRunning(runner?.pid ?? 0));
    expect((await resultOf(server, jid)).status).toBe('started');
    await kill(jid);
    await eventually(() => !isRunning(pid), { message: 'the job to be killed' });
    expect(['lost', 'finishedWithError']).toContain((await untilEnded(server, jid)).status);
    expect((await untilEnded(server, await runJob(server, 'echo again'))).stdout).toEqual([
      'again\n',
    ]);
  });

  it('leaves a running job that is to be deleted', async () => {
    const jid = await runJob(server, 'echo $$ && sleep 68');
    await pidsOf(jid);
    const answer = await act(server, 'delete', { value: jid });
    expect([answer.status, replyOf(answer).error?.code]).toEqual([409, 'conflict']);
    await kill(jid);
    await untilEnded(server, jid);
    const deleted = await act(server, 'delete', { value: jid });
    expect(replyOf(deleted).d_ret).toMatchObject({ status: 'Job deleted successfully' });
    expect((await act(server, 'result', { key: 'jid', value: jid })).status).toBe(404);
  });
});

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

describe('kill with a signal that ends nothing', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  const send = async (jid: string, meta: object) =>
    act(server, 'kill', { key: 'jid', value: jid, ...meta });
  const stateOf = (pid: number) =>
    /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  const pidOf = (jid: string) =>
    eventually(async () => Number((await resultOf(server, jid)).stdout[0]) || undefined);

  it('stops a job, lets it go on, and a later TERM ends one that is stopped', async () => {
    const jid = await runJob(server, '(echo $$; while :; do sleep 0.05; done)');
    const pid = await pidOf(jid);
    const reply = replyOf(await send(jid, { signal: 'STOP', grace: 0 }));
    expect(reply).toMatchObject({
      status: true,
      d_ret: { 0: { killed: false, signalled: true, signal: 'SIGSTOP' } },
    });
    await eventually(() => stateOf(pid) === 'T');
    await send(jid, { signal: 'CONT' });
    await eventually(() => stateOf(pid) !== 'T');
    await send(jid, { signal: 'TSTP' });
    await send(jid, { signal: 'WINCH', grace: 0 });
    expect((await resultOf(server, jid)).status).toBe('started');
    await send(jid, { signal: 'STOP' });
    await eventually(() => stateOf(pid) === 'T');
    await send(jid, { signal: 'TERM' });
    expect((await untilEnded(server, jid)).returncode).toEqual([-15]);
  });

  it.each([0, '0', 34, 'SIGRTMIN', 'RTMAX', 'RTMIN+3', 65, -1])(
    'refuses %j in words',
    async (signal) => {
      const jid = await runJob(server, 'true');
      const answer = await send(jid, { signal });
      expect(answer.status).toBe(400);
      expect(replyOf(answer).error?.message).toMatch(/is no signal|real-time|sends nothing/);
    },
  );
});

describe('kill of a job that has left its session', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it.each([
    ['setsid sleep 71 & wait'],
    ['(setsid sleep 72 &) && sleep 73'],
    ['setsid sh -c "sleep 74 >/dev/null 2>&1 & wait" & wait'],
  ])('ends all of it: %s', async (cmd) => {
    const jid = await runJob(server, cmd);
    const sleeps = () => server.children().filter(({ command }) => /^sleep 7\d$/.test(command));
    await eventually(() => sleeps().length >= (cmd.includes('73') ? 2 : 1));
    await server.post('kill', { key: 'jid', value: jid, grace: 5 });
    await eventually(() => sleeps().length === 0);
    await untilEnded(server, jid);
  });
});
