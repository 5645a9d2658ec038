import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../lib/errors.ts';
import type { PartStart } from './spool.ts';

/** Milliseconds since 1970 with the fractions that `Date.now` lacks: records show microseconds. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
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

/** Sends a signal to the whole process group of a part; says whether there was anyone to get it. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
    throw error;
  }
}
