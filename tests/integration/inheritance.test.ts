import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findGroupPlace, removeGroup } from '../../lib/host/controlGroups.ts';
import { itWithEngine, notRoot } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import {
  builtProgram,
  type StartOptions,
  startServer,
  type TestServer,
} from '../helpers/startServer.ts';

/** What a job is told about itself. */
const ASK =
  'cat /proc/self/limits; echo nice $(nice); echo oom $(cat /proc/self/oom_score_adj); ' +
  'echo umask $(umask); grep -E "^Sig(Blk|Ign)" /proc/self/status; cat /proc/self/cgroup';

/** A shell that sets something, and then starts pman as its child. */
const shell = (setting: string): readonly string[] => [
  ...['/bin/sh', '-c', `${setting}; "$@"; exit`, 'sh'],
  ...builtProgram('pman'),
];

/** What a child of such a shell has that is no program of ours. */
const ofShell = (setting: string): string =>
  spawnSync('/bin/sh', ['-c', `${setting}; /bin/sh -c '${ASK}'; exit`], { encoding: 'utf8' })
    .stdout;

async function answer(server: TestServer): Promise<string> {
  const { stdout } = await untilEnded(server, await runJob(server, ASK, { shell: true }));
  return stdout[0] ?? '';
}

const SETTINGS = [
  'ulimit -Sn 256',
  "umask 0037; trap '' INT USR1; echo 500 > /proc/self/oom_score_adj",
  'ulimit -Sn 256; ulimit -Hn 300; ulimit -c 1000; ulimit -f 5000000; ulimit -s 4096',
] as const;

/** CAP_SYS_RESOURCE: whoever has it may raise hard limits, and lower what decides who ends for want of memory. */
function canRaise(): boolean {
  const status = readFileSync('/proc/self/status', 'latin1');
  const [, mask = '0'] = /^CapEff:\t([0-9a-f]+)$/m.exec(status) ?? [];
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
}

const USER = ['--jobUser', 'nobody'];

describe('a job has what the shell has that started pman', () => {
  let server: TestServer;
  afterEach(() => endServer(server));

  it.each(SETTINGS)('%s', async (setting) => {
    server = await startServer({ command: shell(setting) });
    expect(await answer(server)).toBe(ofShell(setting));
  });

  it('a priority that is lower', async () => {
    server = await startServer({ command: ['nice', '-n', '3', ...builtProgram('pman')] });
    const own = Number(spawnSync('nice', { encoding: 'utf8' }).stdout);
    expect(await answer(server)).toContain(`nice ${own + 3}\n`);
  });

  itWithEngine('all of it at once, also as another user', notRoot, async () => {
    const setting = "ulimit -Sn 256; ulimit -Hn 300; umask 0037; trap '' INT; ulimit -c 1000";
    server = await startServer({ command: shell(setting), flags: USER });
    expect(await answer(server)).toBe(ofShell(setting));
  });
});

describe('a job has what its own pman was started with, when an earlier one has started the runner', () => {
  let servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers) await endServer(server);
    servers = [];
  });

  /** Another pman takes the place of the first, whose runner is kept by a job. */
  async function replace(first: StartOptions, second: StartOptions): Promise<TestServer> {
    const former = await startServer(first);
    servers.push(former);
    const jid = await runJob(former, 'echo on && sleep 3600');
    await eventually(async () => (await resultOf(former, jid)).stdout[0] === 'on\n', {
      message: 'the job to run',
    });
    const runner = runnerOf(former);
    // What was started is the shell: a signal would end that alone.
    await former.post('quit', {});
    await former.exited;
    const later = await startServer({ ...second, folders: former.folders });
    servers.push(later);
    expect(await answerAs(later, runner, former)).toBeUndefined();
    await later.post('kill', { key: 'jid', value: jid });
    expect((await untilEnded(later, jid)).status).toBe('finishedWithError');
    return later;
  }
  const runnerOf = (server: TestServer) =>
    server.children().find(({ command }) => command.includes('runnerProcess'))?.pid;
  let said = '';
  /** Asks while the runner of the former pman is the one. */
  async function answerAs(later: TestServer, runner: number | undefined, former: TestServer) {
    said = await answer(later);
    expect(runnerOf(former)).toBe(runner);
    return runnerOf(later);
  }

  it.each(SETTINGS)('%s', async (setting) => {
    await replace({}, { command: shell(setting) });
    expect(said).toBe(ofShell(setting));
  });

  it.each(SETTINGS)('nothing any more of %s, where the system allows that', async (setting) => {
    const { folders } = await replace({ command: shell(setting) }, { command: shell(':') });
    const log = readFileSync(join(`${folders.DBpath}.spool`, 'jobs', 'runner.log'), 'utf8');
    if (log.includes('the system does not allow it')) expect(canRaise()).toBe(false);
    else expect(said).toBe(ofShell(':'));
  });

  it('nothing any more of hard limits, once the runner has nothing to do', async () => {
    const former = await startServer({ command: shell('ulimit -Sn 256; ulimit -Hn 300') });
    servers.push(former);
    await answer(former);
    await former.post('quit', {});
    await former.exited;
    const later = await startServer({ command: shell(':'), folders: former.folders });
    servers.push(later);
    expect(await answer(later)).toBe(ofShell(':'));
  });

  it('a priority that is lower, and variables', async () => {
    const env = { SECOND: 'yes', PMAN_KILLGRACE: '7' };
    const command = ['nice', '-n', '3', ...builtProgram('pman')];
    const later = await replace({ env: { FIRST: 'yes' } }, { env, command });
    const own = Number(spawnSync('nice', { encoding: 'utf8' }).stdout);
    expect(said).toContain(`nice ${own + 3}\n`);
    const { stdout } = await untilEnded(later, await runJob(later, 'env'));
    expect(stdout[0]).toMatch(/^SECOND=yes$/m);
    expect(stdout[0]).not.toMatch(/^(FIRST|PMAN_.*)=/m);
  });

  itWithEngine('all of it at once, also as another user', notRoot, async () => {
    const setting = "ulimit -Sn 256; ulimit -Hn 300; umask 0037; trap '' INT; ulimit -c 1000";
    await replace({ flags: USER }, { command: shell(setting), flags: USER });
    expect(said).toBe(ofShell(setting));
  });

  it('its control group, where groups can be made', async () => {
    const place = findGroupPlace();
    if (place === undefined) {
      await replace({}, {});
      expect(said).toContain(readFileSync('/proc/self/cgroup', 'utf8'));
      return;
    }
    const group = join(place.folder, `test-of-pman-${process.pid}`);
    mkdirSync(group);
    try {
      await replace({}, { command: shell(`echo 0 > ${group}/cgroup.procs`) });
      expect(said).toMatch(new RegExp(`^0::.*/test-of-pman-${process.pid}$`, 'm'));
    } finally {
      for (const server of servers) await endServer(server);
      servers = [];
      await eventually(() => removeGroup(group), { message: 'the group to be empty' });
    }
  });
});
