import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, isRunning, makeGate, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { signal } from '../helpers/processes.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';

describe('jobs where koffi cannot be loaded', () => {
  let server: TestServer;
  beforeEach(async () => {
    const without = join(checkout, 'tests/fixtures/withoutKoffi.cjs');
    server = await startServer({ env: { NODE_OPTIONS: `--require ${without}` } });
  });
  afterEach(() => endServer(server));

  const spool = () => join(`${server.folders.DBpath}.spool`, 'jobs');

  it('run all the same, and the log of the runner says how', async () => {
    const jid = await runJob(server, 'echo out; echo err >&2; exit 3');
    const result = await untilEnded(server, jid);
    expect(result.returncode).toEqual([0, 0, 3]);
    expect(result.stdout[0]).toBe('out\n');
    expect(result.stderr[1]).toBe('err\n');
    const log = readFileSync(join(spool(), 'runner.log'), 'utf8');
    expect(log).toContain("processes are started by node's spawn");
  });

  it('go on when pman and the runner are killed, and keep writing to their files', async () => {
    const gate = makeGate(server);
    const jid = await runJob(server, `echo $$ && ${gate.wait} && echo after; exit 7`);
    const pid = await eventually(async () => Number((await resultOf(server, jid)).stdout[0]));
    const { jobRoot } = await resultOf(server, jid);
    await server.kill9();
    const runner = server.children().find(({ command }) => command.includes('runnerProcess'));
    if (runner === undefined) throw new Error('there is no runner');
    signal(runner.pid, 'SIGKILL');
    await eventually(() => !isRunning(runner.pid), { message: 'the runner to be gone' });
    expect(isRunning(pid)).toBe(true);
    gate.open();
    await eventually(() => readFileSync(join(spool(), jobRoot, '0.out'), 'utf8').includes('after'));
    await server.restart();
    expect((await untilEnded(server, jid)).status).toBe('lost');
  });
});
