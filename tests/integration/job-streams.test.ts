import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, isRunning, makeGate, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { signal } from '../helpers/processes.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { BY_NAME } from '../helpers/streamsByName.ts';

const pidsOf = (server: TestServer, program: string) =>
  server
    .children()
    .filter(({ command }) => command.includes(program))
    .map(({ pid }) => pid);

async function kill9(server: TestServer, program: string): Promise<void> {
  const pids = await eventually(() => {
    const found = pidsOf(server, program);
    return found.length > 0 ? found : undefined;
  });
  for (const pid of pids) signal(pid, 'SIGKILL');
  await eventually(() => pids.every((pid) => !isRunning(pid)), {
    message: `${program} to be gone`,
  });
}

describe('the streams of a job', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  const raw = async (root: string, stream: string) =>
    (await server.request('GET', `/api/v1/${root}/${stream}`)).text;

  it.each(BY_NAME)('keeps all of %s, in order: %s', async (stream, cmd) => {
    const result = await untilEnded(server, await runJob(server, cmd));
    expect(result[stream][0]).toBe('first\nsecond\nthird\n');
    expect(await raw(result.jobRoot, stream)).toBe('first\nsecond\nthird\n');
  });

  it('are followed in order when they are opened by name', async () => {
    const gate = makeGate(server);
    const cmd = `(echo a && echo b > /dev/stdout && ${gate.wait} && echo c > /dev/stdout && echo d)`;
    const { jobRoot } = await resultOf(server, await runJob(server, cmd));
    const followed = server.request('GET', `/api/v1/${jobRoot}/stdout?follow=1`);
    await eventually(async () => (await raw(jobRoot, 'stdout')) === 'a\nb\n');
    gate.open();
    expect((await followed).text).toBe('a\nb\nc\nd\n');
  });

  it('are complete when the end is told, also of a job that writes much to both', async () => {
    const cmd = '(seq 1 300000 & seq 1 300000 >&2 & wait)';
    const result = await untilEnded(server, await runJob(server, cmd));
    const all = Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join('');
    expect((await raw(result.jobRoot, 'stdout')) === all).toBe(true);
    expect((await raw(result.jobRoot, 'stderr')) === all).toBe(true);
  });

  it('do not hold up the end of a job whose child goes on writing', async () => {
    const gate = makeGate(server);
    const cmd = `echo now && { (${gate.wait}; echo later) & }`;
    const result = await untilEnded(server, await runJob(server, cmd));
    expect(result.stdout[0]).toBe('now\n');
    gate.open();
    await eventually(async () => (await raw(result.jobRoot, 'stdout')) === 'now\nlater\n');
  });

  it('take a line of 100 MB, carriage returns and NUL bytes as they are', async () => {
    const long = await untilEnded(
      server,
      await runJob(server, "head -c 100000000 /dev/zero | tr '\\0' x"),
    );
    const answer = await server.request('GET', `/api/v1/${long.jobRoot}/stdout`, {
      headers: { Range: 'bytes=-3' },
    });
    expect(answer.text).toBe('xxx');
    expect(answer.header('content-range')).toBe('bytes 99999997-99999999/100000000');
    const bytes = await untilEnded(server, await runJob(server, "printf '10%%\\r20%%\\ra\\0b'"));
    expect(await raw(bytes.jobRoot, 'stdout')).toBe('10%\r20%\ra\0b');
  }, 120_000);
});

describe('what a job writes while something is killed', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => endServer(server));

  const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');

  it.each([
    [['runnerProcess']],
    [['outputCopierProcess']],
    [['runnerProcess', 'outputCopierProcess']],
    [['pman', 'runnerProcess']],
    [['pman', 'outputCopierProcess']],
    [['pman', 'runnerProcess', 'outputCopierProcess']],
  ])(
    'is kept to the last byte: %j',
    async (victims) => {
      const gate = makeGate(server);
      const more = makeGate(server);
      // Behind the restart more than a pipe holds that was found full (1 MiB): the job waits until somebody reads.
      const cmd = `(seq 1 50000; ${gate.wait}; seq 50001 50100; ${more.wait}; seq 50101 600000)`;
      const jid = await runJob(server, cmd);
      const { jobRoot } = await resultOf(server, jid);
      const stdout = async () => (await server.request('GET', `/api/v1/${jobRoot}/stdout`)).text;
      await eventually(async () => (await stdout()) === lines(50_000));
      if (victims.includes('pman')) await server.kill9();
      for (const victim of victims) if (victim !== 'pman') await kill9(server, victim);
      gate.open();
      await sleep(100); // nothing to wait for: nobody may be there to copy
      if (victims.includes('pman')) await server.restart();
      more.open();
      const { status } = await untilEnded(server, jid);
      expect(status).toBe(victims.includes('runnerProcess') ? 'lost' : 'finishedSuccessfully');
      const all = await stdout();
      expect([all.length, all === lines(600_000)]).toEqual([lines(600_000).length, true]);
    },
    90_000,
  );

  it('is kept when pman and the runner are gone until long after its end', async () => {
    const gate = makeGate(server);
    const jid = await runJob(server, `(echo $$; ${gate.wait}; seq 1 100000)`);
    const pid = await eventually(async () => Number((await resultOf(server, jid)).stdout[0]));
    await server.kill9();
    await kill9(server, 'runnerProcess');
    gate.open();
    await eventually(() => !isRunning(pid), { message: 'the job to end' });
    await server.restart();
    const { jobRoot } = await untilEnded(server, jid);
    const { text } = await server.request('GET', `/api/v1/${jobRoot}/stdout`);
    expect(text === `${pid}\n${lines(100_000)}`).toBe(true);
  });
});
