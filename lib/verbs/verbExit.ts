import { constants } from 'node:os';
import type { Job } from '../client/index.ts';

/** A failure of a verb that runs no job. */
export const FAILED = 1;
/** The command line is wrong. */
export const WRONG_USE = 2;
/** The job took longer than it was allowed, as timeout(1) says it. */
export const TIMED_OUT = 124;
/** pman itself: no server, no such job, refused; as `docker run` says it. */
export const PMAN_FAILED = 125;
/** Ctrl-C. */
export const INTERRUPTED = 130;
/** Added to the number of the signal that has ended a job, as shells do. */
const BY_SIGNAL = 128;

/** The exit code by which a job that has ended is told to scripts. */
export function exitCodeOf({
  state,
  exitCode,
  reason,
}: Pick<Job, 'state' | 'exitCode' | 'reason'>) {
  if (state === 'succeeded') return 0;
  if (reason?.code === 'timeout') return TIMED_OUT;
  if (exitCode !== null && exitCode > 0) return exitCode;
  if (exitCode !== null && exitCode < 0) return BY_SIGNAL - exitCode;
  return state === 'killed' ? BY_SIGNAL + constants.signals.SIGTERM : PMAN_FAILED;
}

/** The name of the signal of a negative exit code: `TERM`. */
export function signalName(exitCode: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === -exitCode);
  return found === undefined ? `signal ${-exitCode}` : found[0].slice(3);
}
