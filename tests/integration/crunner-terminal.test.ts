import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { numberIn } from '../helpers/crunnerProgram.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { type SshServer, sshdMissing, startSshServer } from '../helpers/sshd.ts';
import { tempDir } from '../helpers/tempDir.ts';

const noPty = () =>
  spawnSync('script', ['-V']).status === 0
    ? undefined
    : 'no script(1): install the util-linux (bsdutils) package';

const crunner = `'${process.execPath}' dist/bin/crunner.cjs -v -1`;

/** A shell line on a terminal of its own: what is typed goes in, what is shown comes out. */
function onTerminal(line: string) {
  // `exec`: a shell of script's own would die of a Ctrl-C as well, and report that.
  const child = spawn('script', ['-qec', `exec ${line}`, '/dev/null'], { stdio: 'pipe' });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    type: (text: string) => child.stdin.write(text),
    shown: () => shown,
    ended,
    end: () => child.kill('SIGKILL'),
  };
}

const textOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** R, S, T (stopped), …; undefined when the process has gone. */
function stateOf(pid: number): string | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}

/** The ssh clients whose command line names a word. */
function sshClients(word: string): readonly number[] {
  const { stdout } = spawnSync('pgrep', ['-f', `^ssh .*${word}`], { encoding: 'utf8' });
  return stdout.trim().split('\n').map(Number);
}

describeWithEngine('crunner on a terminal', noPty, () => {
  let terminal: ReturnType<typeof onTerminal> | undefined;
  afterEach(() => {
    terminal?.end();
  });

  it('hands what is typed to the command', async () => {
    terminal = onTerminal(`${crunner} --showStdOut -c 'read x && echo "got $x"'`);
    terminal.type('words\n');
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toContain('got words\r\n');
  });

  it('ends the command on Ctrl-C, children and all', async () => {
    const file = join(tempDir(), 'pid');
    const command = `sh -c "echo \\$\\$ >${file}; exec sleep 60"; true`;
    terminal = onTerminal(`${crunner} -c '${command}'`);
    const pid = await eventually(() => numberIn(file));
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(254);
    await eventually(() => stateOf(pid) === undefined, { message: 'the child to end' });
  });

  it('stops with the command on Ctrl-Z, and goes on with it', async () => {
    const file = join(tempDir(), 'pid');
    const go = `${file}.go`;
    const command = `echo \\$\\$ >${file}; until [ -e ${go} ]; do sleep 0.05; done; exit 5`;
    // The shell goes on when its job is stopped, and `fg` when it is told to.
    const inner = `set -m; ${crunner} -c "${command}"; read x; fg; echo "status $?"`;
    terminal = onTerminal(`bash -c '${inner}'`);
    const pid = await eventually(() => numberIn(file));
    terminal.type('\u001a');
    await eventually(() => stateOf(pid) === 'T', { message: 'the command to be stopped' });
    writeFileSync(go, '');
    terminal.type('go on\n');
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toContain('status 5');
  });

  it('hands the end of what is typed to one part, and what follows to the next', async () => {
    terminal = onTerminal(`${crunner} --showStdOut --pipeline -c 'read x; cat; cat /dev/stdin'`);
    terminal.type('first\nsecond\n');
    await eventually(() => /second\s+second/.test(terminal?.shown() ?? ''), {
      message: 'the second part to read what the first one left',
    });
    terminal.type('\u0004third\n');
    await eventually(() => /third\s+third/.test(terminal?.shown() ?? ''), {
      message: 'the third part to read on after the end of input of the second',
    });
    terminal.type('\u0004');
    expect(await terminal.ended).toBe(0);
  });

  it('leaves what is typed to the shell after Ctrl-Z and bg, until fg', async () => {
    const file = join(tempDir(), 'taken');
    const pidFile = `${file}.pid`;
    const inner = [
      `set -m; ${crunner} -c "echo \\$\\$ >${pidFile}; exec cat >${file}"`,
      ...['echo STOPPED', 'bg', 'read x', 'echo "shell got $x"', 'fg', 'echo "status $?"'],
    ].join('; ');
    terminal = onTerminal(`bash -c '${inner}'`);
    const pid = await eventually(() => numberIn(pidFile));
    terminal.type('before\n');
    await eventually(() => textOf(file) === 'before\n', { message: 'the job to be typed to' });
    terminal.type('\u001a');
    await eventually(() => terminal?.shown().includes('STOPPED') && stateOf(pid) !== 'T', {
      message: 'the job to go on in the background',
    });
    terminal.type('words\n');
    await eventually(() => terminal?.shown().includes('shell got words'), {
      message: 'the shell to get what is typed to it',
    });
    terminal.type('after\n\u0004');
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toContain('status 0');
    expect(textOf(file)).toBe('before\nafter\n');
  });

  it('takes nothing that is typed for others when it runs in the background', async () => {
    const file = join(tempDir(), 'done');
    const inner = `set -m; { ${crunner} -c cat; echo end >${file}; } & read x; echo "shell got $x"; wait`;
    terminal = onTerminal(`bash -c '${inner}'`);
    await eventually(() => existsSync(file), { message: 'cat to find its input empty' });
    terminal.type('words\n');
    await terminal.ended;
    expect(terminal.shown()).toContain('shell got words');
  });
});

describeWithEngine(
  'crunner --ssh on a terminal',
  () => noPty() ?? sshdMissing(),
  () => {
    let server: SshServer;
    let terminal: ReturnType<typeof onTerminal> | undefined;
    beforeAll(() => {
      server = startSshServer(tempDir('sshd'));
    });
    afterAll(() => server.close());
    afterEach(() => {
      terminal?.end();
    });

    it('neither reads nor shows anything while it is stopped', async () => {
      const file = join(tempDir(), 'taken');
      const pidFile = `${file}.pid`;
      const flags = [
        ...[`--ssh ${server.user}@127.0.0.1:${server.port} -i ${server.file('id')}`],
        ...['-o IdentitiesOnly=yes', `-o UserKnownHostsFile=${server.file('known_hosts')}`],
      ].join(' ');
      const command = `echo \\$\\$ >${pidFile}; exec cat >${file}`;
      const inner = [
        `set -m; ${crunner} ${flags} -c "${command}"`,
        ...['echo STOPPED', 'read x', 'echo "shell got $x"', 'fg', 'echo "status $?"'],
      ].join('; ');
      terminal = onTerminal(`bash -c '${inner}'`);
      const pid = await eventually(() => numberIn(pidFile));
      terminal.type('before\n');
      await eventually(() => textOf(file) === 'before\n', { message: 'the job to be typed to' });
      const clients = sshClients(pidFile);
      terminal.type('\u001a');
      await eventually(() => terminal?.shown().includes('STOPPED') && stateOf(pid) === 'T', {
        message: 'the command on the other host to be stopped',
      });
      expect(clients.map(stateOf)).toEqual(['T']);
      terminal.type('words\n');
      await eventually(() => terminal?.shown().includes('shell got words'), {
        message: 'the shell to get what is typed to it',
      });
      terminal.type('after\n\u0004');
      expect(await terminal.ended).toBe(0);
      expect(terminal.shown()).toContain('status 0');
      expect(textOf(file)).toBe('before\nafter\n');
    });
  },
);
