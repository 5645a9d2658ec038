import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { crunner, type RunEvent } from '../../crunner/attached/runCommand.ts';
import { SshError } from '../../crunner/ssh/ssh.ts';
import {
  isAlive,
  numberIn,
  resultOf,
  runCrunner,
  startCrunner,
} from '../helpers/crunnerProgram.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { type SshServer, sshdMissing, startSshServer } from '../helpers/sshd.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { temporaryNames } from '../helpers/temporaryNames.ts';

describeWithEngine('crunner --ssh, through a real sshd', sshdMissing, () => {
  let server: SshServer;
  beforeAll(() => {
    server = startSshServer(tempDir('sshd'));
  });
  afterAll(() => server.close());

  const flags = (
    key: 'id' | 'id_denied' = 'id',
    hosts: 'known_hosts' | 'known_hosts_wrong' = 'known_hosts',
  ) => [
    ...['-v', '-1', '--ssh', `${server.user}@127.0.0.1:${server.port}`, '-i', server.file(key)],
    ...['-o', 'IdentitiesOnly=yes', `--ssh-option=UserKnownHostsFile=${server.file(hosts)}`],
  ];
  const remote = (command: string, ...more: string[]) =>
    runCrunner([...flags(), `--command=${command}`, ...more]);
  const connection = () => ({
    target: { user: server.user, host: '127.0.0.1', port: server.port },
    identity: server.file('id'),
    options: ['IdentitiesOnly=yes', `UserKnownHostsFile=${server.file('known_hosts')}`],
  });

  it.each([
    `printf '%s|' 'a b' "c 'd'" \\\\ '!x' '$HOME' '%d' 'é😀' '\n' "\`echo x\`"`,
    'cat <<E\na;b $((1+2))\nE\necho "$0"; # comment',
    'echo one; echo two >&2; (exit 3)',
    '-x',
  ])('runs %j as the shell here does', async (command) => {
    const here = spawnSync('/bin/sh', ['-c', '--', command], { encoding: 'utf8' });
    expect(await remote(command, '--showStdOut', '--showStdErr')).toEqual({
      status: here.status,
      stdout: `${here.stdout}\n${here.stderr}\n`,
      stderr: '',
    });
  });

  it('carries a command of nearly 100 KB', async () => {
    const words = 'word '.repeat(18_000).trim();
    const result = await remote(`set ${words}; echo $#`, '--showStdOut');
    expect(result).toEqual({ status: 0, stdout: '18000\n\n', stderr: '' });
  });

  it('carries a command that no argument can hold, and leaves no file', async () => {
    const folder = tempDir();
    const text = `'"$\`\\!é\n`.repeat(40_000);
    const quoted = `'${text.replaceAll("'", "'\\''")}'`;
    const command = `printf %s ${quoted} >${folder}/out; exit 9\n\n`;
    const uploads = temporaryNames((name) => name.startsWith('crunner.'));
    const events: RunEvent[] = [];
    for await (const event of crunner(command, {
      ssh: connection(),
      stdio: () => ['ignore', 'ignore', 'ignore'],
    })) {
      events.push(event);
    }
    expect(events.at(-1)).toMatchObject({ cmd: command, returncode: 9 });
    expect(readFileSync(join(folder, 'out'), 'utf8') === text).toBe(true);
    await uploads.areGone();
  });

  it('hands its stdin to a command that had to be put there before', async () => {
    const command = `: '${'$'.repeat(60_000)}'; cat; exit 9`;
    const result = await runCrunner([...flags(), '--showStdOut', '-c', command], 'typed\n');
    expect(result).toEqual({ status: 9, stdout: 'typed\n\n', stderr: '' });
  });

  it('really runs on the other side, with stdin', async () => {
    const input = 'line\n'.repeat(50_000);
    const result = await runCrunner(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the remote shell expands it
      [...flags(), '-c', 'echo "${SSH_CONNECTION##* }"; cat', '--showStdOut'],
      input,
    );
    expect(result).toEqual({ status: 0, stdout: `${server.port}\n${input}\n`, stderr: '' });
  });

  it('tells a command that exits with 255 from a failed connection', async () => {
    expect(await remote('exit 255')).toEqual({ status: 255, stdout: '', stderr: '' });
  });

  it("takes the port from ssh's options and configuration when the target names none", async () => {
    const [verbose, level, , , ...rest] = flags();
    const target = ['--ssh', `${server.user}@127.0.0.1`, '-o', `Port=${server.port}`];
    const args = [String(verbose), String(level), ...target, ...rest, '--showStdOut'];
    const result = await runCrunner([...args, '-c', 'echo there']);
    expect(result).toEqual({ status: 0, stdout: 'there\n\n', stderr: '' });
  });

  it.each([
    ['seq 1000000; exit 3', 3],
    ['exec seq 1000000', 141],
  ])('ends %j as it ends when its reader has left', async (command, status) => {
    const child = startCrunner([...flags(), `--command=${command}`, '--showStdOut']);
    child.stdout.once('data', () => child.stdout.destroy());
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += String(text);
    });
    const [code] = await once(child, 'close');
    expect({ code: code as unknown, stderr }).toEqual({ code: status, stderr: '' });
  });

  it('notes the pid on the other side, and the exit code of each part', async () => {
    const { stdout, status } = await remote('echo $$; kill -9 $$', '--pipeline', '--jsonprint');
    const jobs = Object.values<Record<string, unknown>>(JSON.parse(stdout));
    expect(jobs).toMatchObject([
      {
        cmd: 'echo $$',
        returncode: 0,
        remoteHost: '127.0.0.1',
        remotePort: server.port,
        sshInput: '',
      },
      // A remote shell says 128 + 9 where a local one is ended by the signal.
      { cmd: ' kill -9 $$', returncode: 137, remoteUser: server.user, stderr: '' },
    ]);
    expect(jobs[0]).toHaveProperty('stdout', `${String(jobs[0]?.pid_remote)}\n`);
    expect(status).toBe(137);
  });

  it('keeps a large output and a large error text apart and whole', async () => {
    const { stdout } = await remote(
      'head -c 3000000 /dev/zero | tr "\\0" o; head -c 3000000 /dev/zero | tr "\\0" e >&2',
      '--showStdOut',
      '--showStdErr',
    );
    expect(stdout).toBe(`${'o'.repeat(3_000_000)}\n${'e'.repeat(3_000_000)}\n`);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends the process group there on %s', async (signal) => {
    const pidFile = join(tempDir(), 'pid');
    const command = `trap 'exit 9' TERM INT; (sh -c 'echo $$ >${pidFile}; exec sleep 60'); true`;
    const child = startCrunner([...flags(), '-c', command]);
    const result = resultOf(child);
    const sleeper = await eventually(() => numberIn(pidFile));
    child.kill(signal);
    expect(await result).toEqual({ status: 9, stdout: '', stderr: '' });
    expect(isAlive(sleeper)).toBe(false);
  });

  it.each<readonly [what: string, status: number, args: () => readonly string[]]>([
    ['a key it does not know', 77, () => flags('id_denied')],
    ['a key it does not know, in silence', 77, () => [...flags('id_denied'), '-oLogLevel=QUIET']],
    ['a command of its own', 65, () => [...flags(), '-o', 'RemoteCommand=hostname']],
    ['a host key that has changed', 76, () => flags('id', 'known_hosts_wrong')],
    ['a host that does not listen', 68, () => [...flags(), '--ssh', `${server.user}@127.0.0.1:1`]],
    ['a host without an address', 68, () => [...flags(), '--ssh', 'u@no.such.host.invalid']],
  ])('says in one line and by its exit code: %s', async (_what, status, args) => {
    const result = await runCrunner([...args(), '-c', 'echo never', '--showStdOut']);
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(/^crunner: cannot run on .+\n$/);
  });

  it('does not learn an unknown host key, and says when one has changed', async () => {
    const hosts = join(tempDir(), 'known_hosts');
    const [, , , target] = flags();
    const args = ['-v', '-1', '--ssh', String(target), '-i', server.file('id'), '-c', 'true'];
    const result = await runCrunner([...args, '-o', `UserKnownHostsFile=${hosts}`]);
    expect(result.status).toBe(76);
    expect(result.stderr).toContain('its host key is unknown');
    const changed = await runCrunner([...flags('id', 'known_hosts_wrong'), '-c', 'true']);
    expect(changed.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect(() => readFileSync(hosts)).toThrow('ENOENT');
  });

  it('says that the connection was lost, and ends the command over a new one', async () => {
    const pidFile = join(tempDir(), 'pid');
    const child = startCrunner([...flags(), '-c', `echo $$ >'${pidFile}'; exec sleep 60`]);
    const result = resultOf(child);
    const sleeper = await eventually(() => numberIn(pidFile));
    spawnSync('pkill', ['-KILL', '-P', String(child.pid), '-x', 'ssh']);
    const { status, stderr } = await result;
    expect(status).toBe(74);
    expect(stderr).toMatch(/^crunner: lost the connection to .+\n$/);
    await eventually(() => !isAlive(sleeper));
  });

  it('just ends when aborted while it connects', async () => {
    const controller = new AbortController();
    // It takes connections and says nothing.
    const mute = createServer(() => controller.abort()).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const { target, ...rest } = connection();
    const events: RunEvent[] = [];
    try {
      const run = crunner('true', {
        ssh: { ...rest, target: { ...target, port } },
        signal: controller.signal,
      });
      for await (const event of run) events.push(event);
    } finally {
      mute.close();
    }
    expect(controller.signal.aborted).toBe(true);
    expect(events).toEqual([]);
  });

  it('gives the library the same: events, an abort, and typed failures', async () => {
    const controller = new AbortController();
    const events: RunEvent[] = [];
    const run = crunner('exit 5; sleep 60; echo never', {
      pipeline: true,
      ssh: connection(),
      signal: controller.signal,
    });
    for await (const event of run) {
      events.push(event);
      if (event.type === 'start' && event.part === 1) controller.abort();
    }
    expect(events).toMatchObject([
      { type: 'start', part: 0, remotePid: expect.any(Number) },
      { type: 'end', part: 0, returncode: 5 },
      { type: 'start', part: 1 },
      { type: 'end', part: 1, returncode: 143 },
    ]);

    const denied = crunner('true', {
      ssh: { ...connection(), identity: server.file('id_denied') },
    });
    const next = denied[Symbol.asyncIterator]().next();
    await expect(next).rejects.toThrow(SshError);
    await expect(next).rejects.toMatchObject({ failure: 'denied', code: 'unavailable' });
  });
});

describe('crunner without an ssh client', () => {
  it('says so, and does not hang', async () => {
    const run = crunner('true', {
      ssh: { target: { user: 'u', host: 'h', port: 22 } },
      env: { PATH: '/no/such/folder' },
    });
    await expect(run[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
