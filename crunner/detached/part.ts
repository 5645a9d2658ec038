import { closeSync, fchownSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';
import { preciseNow } from '../../lib/host/clock.ts';
import { startTicks } from '../../lib/host/processes.ts';
import { endTree, type LeftProcess, signalTree } from '../../lib/host/processTree.ts';
import type { TreeMarks } from '../../lib/host/treeSearch.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import { JOB_VARIABLE } from '../job/jobMark.ts';
import { type Confinement, freely } from './confinement.ts';
import type { PartStart, ProcessUsage } from './journal.ts';
import { nextStart } from './place.ts';
import { asStarted, prepared, SHELL } from './preparation.ts';
import type { Program, StartProgram } from './program.ts';
import { thisSystem } from './system.ts';

export interface PartOptions {
  readonly command: string;
  /** What takes the two streams: descriptors, or files that are made where they are missing. */
  readonly out: string | number;
  readonly err: string | number;
  /** A file that the part's process itself makes when it starts. */
  readonly mark?: string;
  /** Where a command that is too long for an argument is put for a moment, to be run from there. */
  readonly script: string;
  readonly limits: JobLimits;
  /** The file that it reads as its input. */
  readonly stdin?: string | undefined;
  /** The job root, which its processes are told. */
  readonly root: string;
  /** What holds it to its limits; default: nothing does but setrlimit(2). */
  readonly confinement?: Confinement;
}

/** A part that has started; it needs nobody but itself to go on. */
export interface DetachedPart extends PartStart {
  /**
   * Ends it with all that it has started: the signal, and SIGKILL to what is left after the grace.
   * @param marks by what those are found who have lost their parents
   * @returns resolves to those that could not be ended
   */
  end(signal: NodeJS.Signals, graceMs: number, marks?: TreeMarks): Promise<readonly LeftProcess[]>;
  /** Sends a signal to all of it; it goes on. */
  pass(signal: NodeJS.Signals, marks?: TreeMarks): void;
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

/**
 * Starts one part of a command line by `/bin/sh -c`, in a session of its own: this process is not
 * needed for it to go on.
 * @param startProgram how processes are started; default: the best way that this system has
 * @throws the system's error when no process can be started or a file cannot be made
 */
export async function startPart(
  options: PartOptions,
  startProgram?: StartProgram,
): Promise<DetachedPart> {
  const { user } = options.limits;
  const { confinement = freely(options.limits) } = options;
  const { maxProcesses } = confinement.byRlimits;
  const { openFiles, handover, env = process.env } = nextStart();
  const begin = (args: readonly string[], input?: number) =>
    startShell(
      {
        argv: asStarted(prepared(options.limits, confinement, args), {
          ...{ confinement, handover, user },
        }),
        env: { ...env, ...ownVariables(options.limits), [JOB_VARIABLE]: options.root },
        ...inputIs(input ?? options.stdin),
        out: options.out,
        err: options.err,
        ...(options.mark === undefined ? {} : { mark: options.mark }),
        ...(maxProcesses === undefined ? {} : { maxProcesses }),
        ...(openFiles === undefined ? {} : { openFiles }),
      },
      startProgram,
    );
  try {
    return await begin(['-c', '--', options.command]);
  } catch (error) {
    // One argument may take 128 KiB on Linux (execve(2), MAX_ARG_STRLEN).
    if (systemErrorCode(error) !== 'E2BIG') throw error;
    if (Buffer.byteLength(options.command) < MAX_ARGUMENT_BYTES) throw tooLong(error);
  }
  const script = openScript(options);
  try {
    return await begin(['-c', fromInput(options)], script);
  } catch (error) {
    throw systemErrorCode(error) === 'E2BIG' ? tooLong(error) : error;
  } finally {
    closeSync(script);
  }
}

const MAX_ARGUMENT_BYTES = 128 * 1024;

const inputIs = (input: string | number | undefined) => (input === undefined ? {} : { in: input });

/** Has a shell run what its input holds. The command finds the input of the job, or an empty one. */
function fromInput({ stdin = '/dev/null', limits: { user } }: PartOptions): string {
  // The folder of that file is closed to another user.
  if (stdin !== '/dev/null' && user !== undefined) {
    throw new Error('a command of 128 KiB or more has no input when it runs as another user');
  }
  return `exec 3<&0 <'${stdin.replaceAll("'", "'\\''")}'; . /dev/fd/3`;
}

/**
 * Puts a command into a file without a name, and opens that for reading. Who has the descriptor and is the part's user can
 * read it: the folder is closed to that user.
 */
function openScript({ command, script, limits: { user } }: PartOptions): number {
  // On the same line, so that the shell counts the lines of the command alone.
  writeFileSync(script, `exec 3<&-; ${command}`, { mode: 0o600 });
  const fd = openSync(script, 'r');
  rmSync(script);
  if (user !== undefined) fchownSync(fd, user.uid, user.gid);
  return fd;
}

function tooLong(cause: unknown): Error {
  const message = 'the environment and the command are too long together for this system (E2BIG)';
  return Object.assign(new Error(message, { cause }), { code: 'E2BIG' });
}

/** Those that differ from what every job inherits. */
function ownVariables({ env, user }: JobLimits): Program['env'] {
  const { name, home } = user ?? {};
  const own = user === undefined ? {} : { HOME: home, USER: name, LOGNAME: name };
  return { ...own, ...env };
}

/**
 * Starts a shell as the leader of a session; without input, unless one is given.
 * @throws the system's error when no process can be started or a file cannot be made
 */
export async function startShell(
  program: Omit<Program, 'file'>,
  startProgram?: StartProgram,
): Promise<DetachedPart> {
  const startedAt = preciseNow();
  const start = startProgram ?? (await thisSystem()).start;
  const { pid, ended } = await start({ ...program, file: SHELL });
  const ticks = startTicks(pid);
  return {
    ...{ pid, startedAt, ended },
    ...(ticks === undefined ? {} : { ticks }),
    end: (signal, graceMs, marks) => endTree(pid, signal, graceMs, marks),
    pass: (signal, marks) => signalTree(pid, signal, marks),
  };
}
