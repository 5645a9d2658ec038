import { preciseNow } from '../../lib/host/clock.ts';
import type { KillRequest } from './killRequest.ts';

/** How the cause of a job begins that took too long. */
export const TIME_LIMIT = 'time limit';

/** A timer of Node's that is set to more (24 days) goes off at once, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a job at its time limit has before SIGKILL, in milliseconds. */
const GRACE_MS = 5000;

/**
 * Calls back when the time of a job is over that started then, in milliseconds since 1970: at once when it is.
 * @returns what ends the watch
 */
export function timeLimit(
  startedAt: number,
  timeoutMs: number,
  atLimit: (request: KillRequest) => void,
): () => void {
  const cause = `${TIME_LIMIT} ${timeoutMs / 1000} s`;
  const until = startedAt + timeoutMs;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const left = Math.max(until - preciseNow(), 0);
    timer = setTimeout(
      () => {
        if (left > MAX_TIMER_MS) arm();
        else atLimit({ signal: 'SIGTERM', graceMs: GRACE_MS, cause });
      },
      Math.min(left, MAX_TIMER_MS),
    );
  };
  arm();
  return () => clearTimeout(timer);
}
