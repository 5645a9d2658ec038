import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** A process, told from a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Its start time in clock ticks since boot (proc(5), stat field 22), where the system tells. */
  readonly ticks?: string;
}

/** Start time of a process in clock ticks since boot, or undefined where /proc does not tell. */
export function startTicks(pid: number): string | undefined {
  return processFields(pid)?.ticks;
}

function processFields(pid: number): { state: string; ticks: string } | undefined {
  let stat: string;
  try {
    stat = readShort(`/proc/${pid}/stat`);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined; // it has gone, or there is no /proc here
    throw error;
  }
  // The second field is the program's name in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', ticks: fields[19] ?? '' };
}

const scratch = Buffer.allocUnsafe(4096);

/** The text of a file that the system writes in one piece. It is read for each job, and `readFileSync` asks for its size first. */
function readShort(file: string): string {
  const fd = openSync(file, 'r');
  try {
    return scratch.toString('latin1', 0, readSync(fd, scratch));
  } finally {
    closeSync(fd);
  }
}

/** Whether that process still runs, and the pid is not another one's by now. No process has a pid of 0 or less. */
export function isAlive({ pid, ticks }: ProcessIdentity): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
  const fields = processFields(pid);
  if (fields === undefined) return ticks === undefined;
  return fields.state !== 'Z' && (ticks === undefined || fields.ticks === ticks);
}

/**
 * Sends a signal to a whole process group; says whether there was anyone to get it. What runs as another
 * user (a set-user-id program) does not get it.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}

/** What node:child_process knows of a child that leads a process group of its own (`detached`). */
export type GroupLeader = Pick<ChildProcess, 'pid' | 'exitCode' | 'signalCode'>;

/** Sends a signal to the process group that a child leads; to nobody when the child did not start or has ended. */
export function signalGroupOf({ pid, exitCode, signalCode }: GroupLeader, signal: NodeJS.Signals) {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, signal);
}
