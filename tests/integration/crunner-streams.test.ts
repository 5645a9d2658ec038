import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { crunner } from '../../crunner/attached/runCommand.ts';
import { resultOf, runCrunner, startCrunner } from '../helpers/crunnerProgram.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { type SshServer, sshdMissing, startSshServer } from '../helpers/sshd.ts';
import { BY_NAME } from '../helpers/streamsByName.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { temporaryNames } from '../helpers/temporaryNames.ts';

const WHOLE = 'first\nsecond\nthird\n';
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

/** What the program writes to a file that is its stdout, as from `crunner … > file`. */
function toFile(args: readonly string[]) {
  const file = join(tempDir(), 'out');
  const fd = openSync(file, 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    ['dist/bin/crunner.cjs', '-v', '-1', ...args],
    { stdio: ['ignore', fd, 'pipe'], encoding: 'utf8' },
  );
  closeSync(fd);
  return { file, status, stderr, text: readFileSync(file, 'utf8') };
}

/** The output of a command whose streams the library leads to one file. */
async function intoOneFile(command: string): Promise<string> {
  const file = join(tempDir(), 'out');
  const fd = openSync(file, 'w');
  for await (const _ of crunner(command, { stdio: () => ['ignore', fd, fd] }));
  closeSync(fd);
  return readFileSync(file, 'utf8');
}

describe('the streams of a command that crunner runs', () => {
  const shown = { stdout: '--showStdOut', stderr: '--showStdErr' } as const;

  it.each(BY_NAME)('keep all of %s in a file that is crunner’s stdout: %s', (stream, cmd) => {
    expect(toFile(['-c', cmd, shown[stream]]).text).toBe(`${WHOLE}\n`);
  });

  it.each(BY_NAME)('keep all of %s on a socket: %s', async (stream, cmd) => {
    const { stdout } = await runCrunner(['-v', '-1', '-c', cmd, shown[stream]]);
    expect(stdout).toBe(`${WHOLE}\n`);
  });

  it.each(BY_NAME)('keep all of %s in the job dictionary: %s', async (stream, cmd) => {
    const { stdout } = await runCrunner(['-v', '-1', '-c', cmd, '--jsonprint']);
    expect(stdout).toContain(JSON.stringify(WHOLE));
    expect(stdout).toContain(`"${stream}": ${JSON.stringify(WHOLE)}`);
  });

  it.each(BY_NAME)('keep all of %s in a file of the library: %s', async (_, cmd) => {
    expect(await intoOneFile(cmd)).toBe(WHOLE);
  });

  it('keep their order when both lead to one file', async () => {
    const cmd = 'i=0; while [ $i -lt 300 ]; do echo $i; echo $i >&2; i=$((i+1)); done';
    const both = Array.from({ length: 300 }, (_, i) => `${i}\n${i}\n`).join('');
    expect(await intoOneFile(cmd)).toBe(both);
  });

  it('keep 10 MB in order among which a stream is opened by name', () => {
    const cmd = 'seq 1 700000; seq 700001 700100 > /dev/stdout; seq 700101 1400000';
    const { text } = toFile(['-c', cmd, '--showStdOut']);
    expect([text.length, text === `${lines(1, 1_400_000)}\n`]).toEqual([10_088_897, true]);
  });

  it('keep the order of the parts of a line, and of what crunner says between them', () => {
    const { text } = toFile([
      '-c',
      'echo a >/dev/stdout; echo b; seq 1 30000',
      '--pipeline',
      '--showStdOut',
    ]);
    expect(text === `a\n\nb\n\n${lines(1, 30_000)}\n`).toBe(true);
  });

  it('take bytes of every kind as they are', () => {
    const { file } = toFile(['-c', String.raw`printf '10%%\r20%%\r\0\377\303(\n'`, '--showStdOut']);
    expect(readFileSync(file, 'latin1')).toBe('10%\r20%\r\0\xff\xc3(\n\n');
  });

  it('do not hold up the end for a child, and take what it writes later', async () => {
    const gate = join(tempDir(), 'gate');
    const wait = `while [ ! -e ${gate} ]; do sleep 0.05; done`;
    const { file, text } = toFile(['-c', `echo now; (${wait}; seq 1 50000) &`, '--showStdOut']);
    expect(text).toBe('now\n\n');
    writeFileSync(gate, '');
    const all = `now\n\n${lines(1, 50_000)}`;
    await eventually(() => readFileSync(file, 'utf8') === all);
  });

  it('tell a command that its reader has gone', async () => {
    const child = startCrunner(['-v', '-1', '-c', 'exec seq 1 10000000', '--showStdOut']);
    child.stdout.once('data', () => child.stdout.destroy());
    expect((await resultOf(child)).status).toBe(256 - 13);
  });

  it('tell a command that its reader has gone, who has left all unread', async () => {
    const path = join(tempDir(), 'reader.sock');
    const server = createServer({ pauseOnConnect: true }).listen(path);
    const taken = once(server, 'connection');
    const socket = connect(path);
    await once(socket, 'connect');
    const [reader] = (await taken) as [Socket];
    const args = ['dist/bin/crunner.cjs', '-v', '-1', '-c', 'exec seq 1 10000000', '--showStdOut'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', socket, 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    socket.destroy();
    await sleep(500); // by then crunner waits for room as a rule, which is what is looked for
    reader.destroy();
    server.close();
    const [status] = await once(child, 'close');
    expect({ status, said }).toEqual({ status: 256 - 13, said: '' });
  });

  it('leave no pipe in the folder for temporary files', async () => {
    const pipes = temporaryNames((name) => /^crunner-.*\.pipe$/.test(name));
    await intoOneFile('true');
    await pipes.areGone();
  });

  it('go straight to the file where no pipe can be made', () => {
    const file = join(tempDir(), 'out');
    const fd = openSync(file, 'w');
    const env = { ...process.env, TMPDIR: '/nowhere' };
    const args = ['dist/bin/crunner.cjs', '-v', '-1', '-c', 'echo a', '--showStdOut'];
    spawnSync(process.execPath, args, { stdio: ['ignore', fd, 'inherit'], env });
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toBe('a\n\n');
  });

  it('end a command whose output a full disk does not take, and say why', () => {
    const folder = tempDir();
    // A space of its own for mounts, with a disk of 64 KiB.
    const script = [
      `mount -t tmpfs -o size=64k none ${folder}`,
      `${process.execPath} dist/bin/crunner.cjs -v -1 -c 'seq 1 100000' --showStdOut >${folder}/out`,
    ].join(' && ');
    const probe = spawnSync('unshare', ['--mount', 'true']);
    if (probe.status !== 0) return;
    const { status, stderr } = spawnSync('unshare', ['--mount', '/bin/sh', '-c', script], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^crunner: .*ENOSPC/);
    expect(status).toBe(71);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});

describeWithEngine('the streams of a command that crunner runs over ssh', sshdMissing, () => {
  let server: SshServer;
  beforeAll(() => {
    server = startSshServer(tempDir('sshd'));
  });
  afterAll(() => server.close());

  it.each(BY_NAME)('keep all of %s: %s', (stream, cmd) => {
    const remote = [
      ...['--ssh', `${server.user}@127.0.0.1:${server.port}`, '-i', server.file('id')],
      ...['-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${server.file('known_hosts')}`],
    ];
    const flag = stream === 'stdout' ? '--showStdOut' : '--showStdErr';
    expect(toFile([...remote, '-c', cmd, flag]).text).toBe(`${WHOLE}\n`);
  });
});
