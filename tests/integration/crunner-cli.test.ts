import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  isAlive,
  numberIn,
  resultOf,
  runCrunner,
  startCrunner,
} from '../helpers/crunnerProgram.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';

const quiet = (...args: string[]) => runCrunner(['-v', '-1', ...args]);

describe('crunner, as recorded from the original', () => {
  it.each<readonly [name: string, args: readonly string[], status: number, stdout: string]>([
    ['shows nothing unasked', ['-c', 'echo hi'], 0, ''],
    ['adds a newline to stdout', ['-c', 'echo hi', '--showStdOut'], 0, 'hi\n\n'],
    ['echoes the command', ['-c', 'echo hi', '--showStdOut', '--echoCmd'], 0, 'echo hi\nhi\n\n'],
    ['shows stderr on stdout', ['-c', 'echo err >&2', '--showStdErr'], 0, 'err\n\n'],
    ['exits as the command', ['-c', 'exit 7'], 7, ''],
    ['runs a line as one job', ['-c', 'echo a; exit 3; echo b', '--showStdOut'], 3, 'a\n\n'],
    ['runs every part', ['-c', 'exit 3; echo ok', '--pipeline', '--showStdOut'], 0, '\nok\n\n'],
    [
      'prints all stdouts, then all stderrs',
      ['-c', 'echo a; echo e >&2; echo c', '--pipeline', '--showStdOut', '--showStdErr'],
      0,
      'a\n\n\nc\n\n\ne\n\n\n',
    ],
    ['shares no state', ['-c', 'X=5; echo "[$X]"', '--pipeline', '--showStdOut'], 0, '\n[]\n\n'],
    ['takes an empty command', ['-c', ''], 0, ''],
    ['takes a blank command', ['-c', '  '], 0, ''],
    ['gives 247 for SIGKILL', ['-c', 'kill -9 $$'], 247, ''],
  ])('%s', async (_name, args, status, stdout) => {
    expect(await quiet(...args)).toEqual({ status, stdout, stderr: '' });
  });

  it('takes the command behind --, as its manual says', async () => {
    expect((await quiet('--', 'exit', '7')).status).toBe(7);
    const { stdout } = await quiet('--showStdOut', '--', 'printf', '<%s>', 'a;b', '$x', '-c');
    expect(stdout).toBe('<a;b><$x><-c>\n');
  });

  it('keeps a quoted semicolon in one command', async () => {
    const { stdout } = await quiet('-c', 'echo "a;b"', '--pipeline', '--showStdOut');
    expect(stdout).toBe('a;b\n\n');
  });

  it("gives the shell's own error for an unbalanced quote", async () => {
    const { status, stdout } = await quiet('-c', 'echo "x; y', '--pipeline', '--showStdErr');
    expect(status).toBe(2);
    expect(stdout).toMatch(/syntax error|unterminated/i);
  });

  it('prints the job dictionary as Python does, long lines and quotes included', async () => {
    const line = 'it\'s "quoted" \\ é\t'.repeat(9);
    const command = `printf '%s\\r\\n%s' '${line.replaceAll("'", "'\\''")}' short; echo x >&2`;
    const args = ['-c', command, '--jid', 'j1', '--auid', 'u1'];
    const { stdout: json } = await quiet(...args, '--jsonprint');
    const { stdout: pretty } = await quiet(...args, '--prettyprint');
    const python = spawnSync(
      'python3',
      [
        '-c',
        "import json,sys,pprint; d=json.load(sys.stdin)\nfor e in d.values(): e['uname']=0\npprint.PrettyPrinter(indent=4).pprint(d)",
      ],
      { input: json, encoding: 'utf8' },
    );
    const masked = (text: string) =>
      text
        .replace(/'(pid|uname)': .*,\n/g, "'$1': 0,\n")
        .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}/g, '<datetime>');
    if (python.error === undefined) expect(masked(pretty)).toBe(masked(python.stdout));
    const [entry] = Object.values<Record<string, unknown>>(JSON.parse(json));
    expect(entry).toMatchObject({
      jid: 'j1',
      auid: 'u1',
      done: true,
      started: false,
      returncode: 0,
    });
    expect(entry).toMatchObject({ stdout: `${line}\nshort`, stderr: 'x\n' });
    expect(json.split('\n')).toHaveLength(2);
  });

  it('prints a line for each start and end with --eventloop', async () => {
    const { stdout } = await quiet(
      '-c',
      'echo $$; true',
      '--pipeline',
      '--eventloop',
      '--showStdOut',
    );
    const [, first, second] =
      /^ {10}queueStart: id of process: (\d+)\n {12}queueEnd: id of process: \1\n {10}queueStart: id of process: (\d+)\n {12}queueEnd: id of process: \2\n/.exec(
        stdout,
      ) ?? [];
    expect(first).toMatch(/\d/);
    expect(second).not.toBe(first);
    expect(stdout.endsWith(`\n${first}\n\n\n`)).toBe(true);
  });

  it('traces on stdout unless told not to, and to a file when asked', async () => {
    const file = join(tempDir(), 'new', 'trace.log');
    const { stdout } = await runCrunner(['-c', 'true', '--debugToFile', '--debugFile', file]);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\d [\d:.]{15} \| crunner \| job 0 started, pid \d+\n/);
    expect(readFileSync(file, 'utf8')).toContain('job 0 ended, return code 0');
  });
});

describe('crunner and its command line', () => {
  it.each<readonly [args: readonly string[], stdout: string]>([
    [['-v-1', '--comm=echo x', '--showStdO'], 'x\n\n'],
    [['--verbosity=-1', '-cecho x', '--showStdOut'], 'x\n\n'],
    [['-v', '-1', '-c', '-n x', '--showStdOut', '--pipe'], '\n'],
    [['-v', '-1', '-c', 'false', '-c', 'echo last', '--showStdOut'], 'last\n\n'],
  ])('reads %j as argparse does', async (args, stdout) => {
    expect((await runCrunner(args)).stdout).toBe(stdout);
  });

  it.each<readonly [args: readonly string[], status: number]>([
    [[], 64],
    [['-c'], 2],
    [['-c', '--pipeline'], 2],
    [['-c', 'true', '--s'], 2],
    [['-c', 'true', '--nonsense'], 2],
    [['-c', 'true', 'word'], 2],
    [['-c', 'true', '--pipeline=1'], 2],
    [['-c', 'true', '-v', 'loud'], 2],
    [['-c', 'true', '--ssh', 'nohost'], 65],
    [['-c', 'true', '--ssh', 'u@-oProxyCommand=x'], 65],
    [['-c', 'true', '--ssh', 'u@127.0.0.1:1', '-o', 'Nonsense=1'], 65],
    [['-c', 'true', '--ssh', 'u@127.0.0.1:1', '-i', '/no/such'], 2],
    [['-c', 'true', '--debugToFile', '--debugFile', '/proc/nope/log'], 71],
    [['-c', 'true', '--debugToFile', '--debugFile', '/tmp'], 71],
    [['-c', 'true', '-o', 'Port=2222'], 2],
    [['-c', 'true', '-i', '/etc/passwd'], 2],
    [['-c', 'true', '--ssh', 'u@h:65536'], 65],
  ])('says in one line what is wrong with %j, and exits with %i', async (args, status) => {
    const result = await runCrunner(args);
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(/^crunner: .+\n$/);
  });

  it('says in one line that a host for a long command cannot be reached', async () => {
    const args = ['-c', `: '${'$'.repeat(30_000)}'`, '--ssh', 'u@127.0.0.1:1'];
    const result = await runCrunner(args);
    expect(result.status).toBe(68);
    expect(result.stderr).toMatch(/^crunner: cannot run on .+refused\n$/);
  });

  it('says in one line that its output cannot be written', () => {
    const line = `'${process.execPath}' dist/bin/crunner.cjs -v -1 --showStdOut -c true >/dev/full`;
    const { status, stderr } = spawnSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
    expect(status).toBe(71);
    expect(stderr).toMatch(/^crunner: ENOSPC.+\n$/);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await runCrunner(['--version'])).toEqual({
      status: 0,
      stdout: `Version: ${String(version)}\n`,
      stderr: '',
    });
  });

  it('returns the first failure with --pipefail', async () => {
    const args = ['-c', 'true; exit 3; exit 4; true', '--pipeline'];
    expect((await quiet(...args, '--pipefail')).status).toBe(3);
    expect((await quiet(...args)).status).toBe(0);
  });

  it('hands its stdin to the command', async () => {
    const input = 'line\n'.repeat(100_000);
    const { stdout } = await runCrunner(['-v', '-1', '-c', 'cat', '--showStdOut'], input);
    expect(stdout).toBe(`${input}\n`);
  });
});

describe('crunner and signals', () => {
  it.each([
    ['SIGTERM', 241],
    ['SIGINT', 254],
    ['SIGHUP', 255],
  ] as const)(
    'passes %s to the whole job, runs no further part, and exits with %i',
    async (signal, status) => {
      const pidFile = join(tempDir(), 'pid');
      const command = `sh -c 'echo $$ >${pidFile}; exec sleep 60'; true`;
      const child = startCrunner([
        '-v',
        '-1',
        '--showStdOut',
        '--pipeline',
        '-c',
        `{ ${command}; }; echo no`,
      ]);
      const result = resultOf(child);
      const sleeper = await eventually(() => numberIn(pidFile));
      child.kill(signal);
      expect(await result).toEqual({ status, stdout: '\n', stderr: '' });
      await eventually(() => !isAlive(sleeper));
    },
  );

  it('kills a job that does not end, at the second signal', async () => {
    const pidFile = join(tempDir(), 'pid');
    const command = `trap 'echo trapped >&2; touch ${pidFile}.trapped' TERM; echo $$ >'${pidFile}'; while :; do sleep 0.05; done`;
    const child = startCrunner(['-v', '-1', '-c', command]);
    const result = resultOf(child);
    const pid = await eventually(() => numberIn(pidFile));
    child.kill('SIGTERM');
    await eventually(() => readdirSync(join(pidFile, '..')).includes('pid.trapped'));
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGTERM');
    expect((await result).status).toBe(247);
    await eventually(() => !isAlive(pid));
  });

  it('returns the exit code of a job that ends by its own when told to', async () => {
    const pidFile = join(tempDir(), 'pid');
    const command = `trap 'exit 9' TERM; echo $$ >'${pidFile}'; while :; do sleep 0.05; done`;
    const child = startCrunner(['-v', '-1', '-c', command]);
    const result = resultOf(child);
    await eventually(() => numberIn(pidFile));
    child.kill('SIGTERM');
    expect((await result).status).toBe(9);
  });

  /** A daemon without parents and outputs, whose pid gets into a file; then the job waits. */
  const withDaemon = (pidFile: string) => {
    const daemon = `echo $$ > ${pidFile}; exec sleep 3600`;
    const launch = `setsid sh -c '${daemon}' </dev/null >/dev/null 2>&1 &`;
    return `sh -c "${launch.replaceAll('$', '\\$')}"; sleep 3600`;
  };

  it.each(['SIGINT', 'SIGTERM'] as const)('ends daemons of the job, too, at %s', async (signal) => {
    const pidFile = join(tempDir(), 'pid');
    const child = startCrunner(['-v', '-1', '-c', withDaemon(pidFile)]);
    const result = resultOf(child);
    const daemon = await eventually(() => numberIn(pidFile));
    child.kill(signal);
    await result;
    await eventually(() => !isAlive(daemon));
  });

  it('ends what ignores SIGINT as background commands do, before it ends itself', async () => {
    const pidFile = join(tempDir(), 'pid');
    const child = startCrunner(['-v', '-1', '-c', `sleep 3600 & echo $! > ${pidFile}; wait`]);
    const result = resultOf(child);
    const sleeper = await eventually(() => numberIn(pidFile));
    child.kill('SIGINT');
    await result;
    await eventually(() => !isAlive(sleeper));
  });

  it('leaves what was told to outlive a hangup', async () => {
    const pidFile = join(tempDir(), 'pid');
    const command = `nohup sleep 3600 </dev/null >/dev/null 2>&1 & echo $! > ${pidFile}; sleep 3600`;
    const child = startCrunner(['-v', '-1', '-c', command]);
    const result = resultOf(child);
    const sleeper = await eventually(() => numberIn(pidFile));
    await eventually(() => readFileSync(`/proc/${sleeper}/comm`, 'utf8') === 'sleep\n');
    child.kill('SIGHUP');
    await result;
    expect(isAlive(sleeper)).toBe(true);
    process.kill(sleeper, 'SIGKILL');
  });

  it('leaves a daemon of a job that ends by itself', async () => {
    const pidFile = join(tempDir(), 'pid');
    await runCrunner(['-v', '-1', '-c', withDaemon(pidFile).replace('; sleep 3600', '')]);
    const daemon = await eventually(() => numberIn(pidFile));
    expect(isAlive(daemon)).toBe(true);
    process.kill(daemon, 'SIGKILL');
  });
});

describe('a job of crunner', () => {
  it('may have as many files open as the shell that started crunner', async () => {
    const script = 'ulimit -Sn 256; "$@"; exit $?';
    const argv = ['-c', script, 'sh', process.execPath, 'dist/bin/crunner.cjs'];
    const { stdout } = spawnSync(
      '/bin/sh',
      [...argv, '-v', '-1', '--showStdOut', '-c', 'ulimit -Sn'],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout.trim()).toBe('256');
  });
});
