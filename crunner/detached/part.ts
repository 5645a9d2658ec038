import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { systemErrorCode } from '../../lib/errors.ts';
import { endGroup, preciseNow, startTicks } from '../../lib/host/processes.ts';
import type { nativeSpawn } from './nativeSpawn.ts';
import type { JobLimits, PartStart, ProcessUsage } from './spool.ts';

export interface PartOptions {
  readonly command: string;
  /** Files for the two streams; made where they are missing. */
  readonly out: string;
  readonly err: string;
  /** Where a command that is too long for an argument is put, to be run from there. */
  readonly script: string;
  readonly limits: JobLimits;
}

export interface RunningPart extends PartStart {
  /** Ends it: the signal to its whole process group, and SIGKILL to what is left of that after the grace. */
  end(signal: NodeJS.Signals, graceMs: number): void;
  /** Resolves once, when the shell of the part has ended. Never rejects. */
  readonly ended: Promise<PartExit>;
}

export interface PartExit {
  /** Exit code, or the negative number of the signal that ended it (as Python's `returncode`); null when not known. */
  readonly returncode: number | null;
  readonly usage?: ProcessUsage;
  /** In words, when it did not end by itself or never began. */
  readonly cause?: string;
  /** No further part of the job is to run. */
  readonly isLast?: boolean;
}

/** What is to be run by a shell, and where its output goes. */
export interface ShellProgram {
  /** The shell's own name first. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly out: string;
  readonly err: string;
}

export const SHELL = '/bin/sh';

/**
 * Starts one part of a command line by `/bin/sh -c`, in a session of its own, with its output going
 * straight to files: nobody has to read it, and no process but the part itself is needed for it to go on.
 * @throws the system's error when no process can be started or a file cannot be made
 */
export async function startPart(options: PartOptions): Promise<RunningPart> {
  try {
    return await start(options, argvOf(options.limits, ['-c', '--', options.command]));
  } catch (error) {
    // One argument may take 128 KiB on Linux (execve(2), MAX_ARG_STRLEN).
    if (systemErrorCode(error) !== 'E2BIG') throw error;
    writeFileSync(options.script, options.command);
    return start(options, argvOf(options.limits, ['--', options.script]));
  }
}

/**
 * The arguments of the shell, its own name first. Limits are set by a shell that then becomes the part's: one that cannot
 * set them says so on the part's standard error and ends with 126, as for a program that cannot be run.
 */
function argvOf({ cwd, memoryBytes, nice }: JobLimits, args: readonly string[]): readonly string[] {
  const preparations = [
    ...(cwd === undefined ? [] : ['cd -- "$CRUNNER_CWD"']),
    ...(memoryBytes === undefined ? [] : [`ulimit -v ${Math.ceil(memoryBytes / 1024)}`]),
  ];
  // A command may begin with a dash: `--` says that no more flags come.
  if (preparations.length === 0 && nice === undefined) return [SHELL, ...args];
  const become = `${nice === undefined ? '' : `nice -n ${nice} `}${SHELL} "$@"`;
  const script = [...preparations.map((step) => `${step} || exit 126`), `exec ${become}`];
  return [SHELL, '-c', script.join('; '), SHELL, ...args];
}

async function start(options: PartOptions, argv: readonly string[]): Promise<RunningPart> {
  const { cwd, env } = options.limits;
  const environment = {
    ...process.env,
    ...env,
    ...(cwd === undefined ? {} : { CRUNNER_CWD: cwd }),
  };
  return startShell({ argv, env: environment, out: options.out, err: options.err });
}

/**
 * Starts a shell as the leader of a session, without input and with its output going to files.
 * @throws the system's error when no process can be started or a file cannot be made
 */
export async function startShell(program: ShellProgram): Promise<RunningPart> {
  const startedAt = preciseNow();
  const native = await loadNative();
  const { pid, ended } =
    native === undefined ? await nodeSpawn(program) : native({ ...program, file: SHELL });
  const ticks = startTicks(pid);
  return {
    ...{ pid, startedAt, ended },
    ...(ticks === undefined ? {} : { ticks }),
    end: (signal, graceMs) => void endGroup(pid, signal, graceMs),
  };
}

let native: Promise<typeof nativeSpawn | undefined> | undefined;

/** The fast way to start processes, where there is one: Linux, with the foreign function library installed. */
function loadNative(): Promise<typeof nativeSpawn | undefined> {
  native ??=
    process.platform === 'linux'
      ? import('./nativeSpawn.ts').then(
          (module) => module.nativeSpawn,
          (error: unknown) => {
            console.error(`processes are started by node's spawn: ${String(error)}`);
            return undefined;
          },
        )
      : Promise.resolve(undefined);
  return native;
}

/** The portable way: slower, and it does not tell what a process has used. */
async function nodeSpawn({
  argv,
  env,
  out,
  err,
}: ShellProgram): Promise<{ readonly pid: number; readonly ended: Promise<PartExit> }> {
  const files: number[] = [];
  try {
    for (const file of [out, err]) files.push(openSync(file, 'a'));
    const stdio = ['ignore', ...files] as const;
    const child = spawn(SHELL, argv.slice(1), { detached: true, env, stdio: [...stdio] });
    const { pid } = child;
    if (pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
    const ended = new Promise<PartExit>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ returncode: signal === null ? (code ?? 0) : -constants.signals[signal] });
      });
    });
    return { pid, ended };
  } finally {
    for (const file of files) closeSync(file);
  }
}
