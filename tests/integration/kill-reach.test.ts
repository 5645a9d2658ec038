import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findGroupPlace } from '../../lib/host/controlGroups.ts';
import { describeWithEngine, notRoot } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, isRunning, runJob, untilEnded } from '../helpers/pman.ts';
import { signal } from '../helpers/processes.ts';
import { said } from '../helpers/said.ts';
import { builtProgram, startServer, type TestServer } from '../helpers/startServer.ts';

/** What a kill reaches: all that a job has started, wherever that has gone. */
let server: TestServer;

/** Starts pman, in whose folder `sh launch.sh` starts a daemon: in a session of its own, without parents and outputs. */
async function start(how: { readonly flags?: readonly string[]; readonly daemon?: string } = {}) {
  const { flags = [], daemon = 'exec sleep 3600' } = how;
  server = await startServer({ flags });
  const { cwd } = server.folders;
  writeFileSync(join(cwd, 'daemon.sh'), `echo $$ > new; mv new daemon; ${daemon}\n`);
  writeFileSync(join(cwd, 'launch.sh'), 'setsid sh daemon.sh </dev/null >/dev/null 2>&1 &\n');
}

/** The pid of the daemon, once it stands and its parent is no more. */
const daemonOf = ({ folders }: TestServer) =>
  eventually(
    () => {
      const file = join(folders.cwd, 'daemon');
      const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      if (pid === 0 || !isRunning(pid)) return undefined;
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n' ? pid : undefined;
    },
    { message: 'the daemon to stand' },
  );

const kill = (jid: string, meta: object = {}) =>
  server.post('kill', { key: 'jid', value: jid, ...meta });

describe('a daemon of a job that closed its outputs', () => {
  afterEach(() => endServer(server));

  it('is ended with the job', async () => {
    await start();
    const jid = await runJob(server, 'sh launch.sh && sleep 3600');
    const pid = await daemonOf(server);
    await kill(jid);
    const { cause } = await untilEnded(server, jid);
    expect(cause[0]).toMatch(/kill request.*\(SIGTERM\)$/);
    expect(isRunning(pid)).toBe(false);
  });

  it('is ended with the job when it ignores the signal, before the end is told', async () => {
    await start({
      flags: ['--killGrace', '0.5'],
      daemon: "trap '' TERM; exec sleep 3600",
    });
    const jid = await runJob(server, 'sh launch.sh && sleep 3600');
    const pid = await daemonOf(server);
    await kill(jid);
    await untilEnded(server, jid);
    expect(isRunning(pid)).toBe(false);
  });

  it('is ended when a former part of the job has started it', async () => {
    await start();
    const jid = await runJob(server, 'sh launch.sh; sleep 3600');
    const pid = await daemonOf(server);
    await kill(jid);
    await untilEnded(server, jid);
    expect(isRunning(pid)).toBe(false);
  });

  it('is ended with the time of the job', async () => {
    await start();
    const jid = await runJob(server, 'sh launch.sh && sleep 3600', { timeout: 3 });
    const pid = await daemonOf(server);
    expect((await untilEnded(server, jid)).cause[0]).toMatch(/^time limit 3 s/);
    expect(isRunning(pid)).toBe(false);
  });

  it('is ended when the runner was killed meanwhile', async () => {
    await start();
    const jid = await runJob(server, 'sh launch.sh && sleep 3600');
    const pid = await daemonOf(server);
    const runner = server.children().find(({ command }) => command.includes('runnerProcess'));
    if (runner === undefined) throw new Error('there is no runner');
    signal(runner.pid, 'SIGKILL');
    await eventually(() => !isRunning(runner.pid));
    await kill(jid);
    expect((await untilEnded(server, jid)).status).toBe('lost');
    expect(isRunning(pid)).toBe(false);
  });

  it('goes on when the job ends by itself, and when another job is killed', async () => {
    await start();
    const jid = await runJob(server, 'sh launch.sh && true');
    const pid = await daemonOf(server);
    expect((await untilEnded(server, jid)).status).toBe('finishedSuccessfully');
    const other = await runJob(server, 'sleep 3600');
    await kill(other);
    await untilEnded(server, other);
    expect(isRunning(pid)).toBe(true);
  });
});

describeWithEngine('a job that starts itself anew without end', notRoot, () => {
  it('is ended with all of it, each time: nothing outruns the kill', async () => {
    // In namespaces of its own: what it starts must not outlive the test.
    const apart = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const own = await startServer({ command: [...apart, ...builtProgram('pman')] });
    try {
      const script = join(own.folders.cwd, 'anew.sh');
      writeFileSync(script, `setsid sh ${script} & sleep 0.2\n`);
      const links = () => own.children().filter(({ command }) => command.includes(script));
      for (let time = 0; time < 3; time += 1) {
        const jid = await runJob(own, `sh ${script}; sleep 3600`);
        await eventually(() => links().length > 5, { message: 'the chain to grow' });
        await own.post('kill', { key: 'jid', value: jid });
        const { cause } = await untilEnded(own, jid);
        // The chain goes on when its first link has ended by itself, and the next part runs.
        expect(cause.join()).toMatch(/kill request/);
        expect(cause.join()).not.toMatch(/still run/);
        expect(links()).toEqual([]);
      }
    } finally {
      // unshare does not pass a signal on.
      await own.kill9();
      own.endJobs();
    }
  });
});

/** Whether there is a control group of that job. */
function hasGroup(jobRoot: string): boolean {
  const { folder = '' } = findGroupPlace() ?? {};
  const folders = folder === '' ? [] : readdirSync(folder);
  return folders.some((name) => existsSync(join(folder, name, jobRoot)));
}

describe('--jobGroups always', () => {
  // The runner ends by itself when nobody needs it, and takes the folder of its groups with it.
  afterEach(async () => {
    await server.stop();
    await eventually(() => server.children().length === 0, { message: 'the runner to end' });
  });

  const flags = ['--jobGroups', 'always'];
  it('ends also what hides, or says at start that there are no control groups', async () => {
    await start({ flags });
    const jid = await runJob(server, 'env -i sh launch.sh && sleep 3600');
    const pid = await daemonOf(server);
    if (findGroupPlace() === undefined) {
      await said(server, /no control groups/);
      return signal(pid, 'SIGKILL');
    }
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toMatch(/^0::\/.*pman-/m);
    await kill(jid);
    const { jobRoot } = await untilEnded(server, jid);
    expect(isRunning(pid)).toBe(false);
    await eventually(() => !hasGroup(jobRoot), { message: 'the group to be removed' });
  });

  it('leaves a daemon alone whose job has ended, and removes its group after it', async () => {
    await start({ flags });
    const jid = await runJob(server, 'sh launch.sh && true');
    const pid = await daemonOf(server);
    const { jobRoot } = await untilEnded(server, jid);
    expect(isRunning(pid)).toBe(true);
    expect(hasGroup(jobRoot)).toBe(findGroupPlace() !== undefined);
    signal(pid, 'SIGKILL');
    await eventually(() => !isRunning(pid));
    await untilEnded(server, await runJob(server, 'true'));
    await eventually(() => !hasGroup(jobRoot), { message: 'the group to be removed' });
  });
});
