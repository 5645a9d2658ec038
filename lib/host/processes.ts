import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PartStart } from '../../crunner/detached/spool.ts';
import { systemErrorCode } from '../errors.ts';

/** How far the two clocks of a process may be apart before somebody has set the one, in milliseconds. */
const CLOCK_STEP_MS = 50;
/** When the clock that never jumps was at 0, on the one of the day. */
let origin = performance.timeOrigin;

/**
 * Milliseconds since 1970 with the fractions that `Date.now` lacks: records show microseconds. A clock that was set, or a
 * machine that has slept, is followed.
 */
export function preciseNow(): number {
  const now = Date.now();
  const passed = performance.now();
  if (Math.abs(origin + passed - now) > CLOCK_STEP_MS) origin = now - passed;
  return origin + passed;
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

/**
 * Sends a signal to the whole process group of a part; says whether there was anyone to get it. What runs as another
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

/** How often a process group that was told to end is looked at, in milliseconds. */
const GROUP_POLL_MS = 20;

/**
 * Ends a process group: the signal, and SIGKILL to what is left of it after the grace. Children that outlive their
 * shell have the grace too.
 */
export async function endGroup(
  pid: number,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const until = performance.now() + graceMs;
  if (!signalGroup(pid, signal)) return;
  // What is stopped takes no signal but KILL until it goes on.
  signalGroup(pid, 'SIGCONT');
  while (performance.now() < until) {
    await sleep(Math.min(GROUP_POLL_MS, graceMs));
    if (!signalGroup(pid, 0)) return;
  }
  signalGroup(pid, 'SIGKILL');
}
