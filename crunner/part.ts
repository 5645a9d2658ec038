import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { systemErrorCode } from '../lib/errors.ts';
import type { PartStart } from './spool.ts';

export interface PartOptions {
  readonly command: string;
  /** Files for the two streams; made new. */
  readonly out: string;
  readonly err: string;
  /** Where a command that is too long for an argument is put, to be run from there. */
  readonly script: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningPart extends PartStart {
  /** Resolves once, when the shell of the part has ended. Never rejects. */
  readonly ended: Promise<{ readonly returncode: number }>;
}

/** Milliseconds since 1970 with the fractions that `Date.now` lacks: records show microseconds. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Exit code, or the negative number of the signal that ended a process (as Python's `returncode`). */
export function returncodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) : -constants.signals[signal];
}

/**
 * Starts one part of a command line by `/bin/sh -c`, in a session of its own, with its output going
 * straight to files: nobody has to read it, and no process but the part itself is needed for it to go on.
 * @throws the system's error when no process can be started or a file cannot be made
 */
export async function startPart(options: PartOptions): Promise<RunningPart> {
  try {
    return await start(options, ['-c', options.command]);
  } catch (error) {
    // One argument may take 128 KiB on Linux (execve(2), MAX_ARG_STRLEN).
    if (systemErrorCode(error) !== 'E2BIG') throw error;
    writeFileSync(options.script, options.command);
    return start(options, [options.script]);
  }
}

async function start(options: PartOptions, args: readonly string[]): Promise<RunningPart> {
  const out = openSync(options.out, 'a');
  let err: number | undefined;
  try {
    err = openSync(options.err, 'a');
    const startedAt = preciseNow();
    const child = spawn('/bin/sh', args, {
      detached: true,
      stdio: ['ignore', out, err],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
    });
    const { pid } = child;
    if (pid === undefined) {
      throw await new Promise((resolve) => child.once('error', resolve));
    }
    const ended = new Promise<{ returncode: number }>((resolve) => {
      child.once('exit', (code, signal) => resolve({ returncode: returncodeOf(code, signal) }));
    });
    const ticks = startTicks(pid);
    return { pid, startedAt, ended, ...(ticks === undefined ? {} : { ticks }) };
  } finally {
    closeSync(out);
    if (err !== undefined) closeSync(err);
  }
}

/** Start time of a process in clock ticks since boot, or undefined where /proc does not tell. */
export function startTicks(pid: number): string | undefined {
  return processFields(pid)?.ticks;
}

function processFields(pid: number): { state: string; ticks: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined; // it has gone, or there is no /proc here
    throw error;
  }
  // The second field is the program's name in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', ticks: fields[19] ?? '' };
}

/** Whether the process that a start record names still runs, and is not another one of the same pid. */
export function isAlive({ pid, ticks }: PartStart): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
  const fields = processFields(pid);
  if (fields === undefined) return ticks === undefined;
  return fields.state !== 'Z' && (ticks === undefined || fields.ticks === ticks);
}

/** Sends a signal to the whole process group of a part (0: none); says whether there was anyone to get it. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
    throw error;
  }
}
