import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, PmanClientError } from '../client/index.ts';
import { whenUnread } from '../programOutput.ts';
import { onInterrupts } from './interrupts.ts';
import { tellLeft } from './leaveJobs.ts';
import type { Session } from './session.ts';
import { INTERRUPTED } from './verbExit.ts';

/** How long a server may be away once the terminal is closed: a restart takes less. */
const HANGUP_PATIENCE_MS = 10_000;
const AGAIN_MS = 500;

/**
 * Signals go to jobs, and their end is waited for; the third time it is KILL. HUP is that of a terminal which is closed,
 * and of a pipe that nobody reads any more: the jobs would go on without it. Then nobody waits for a server that goes
 * away. Nor need anybody who has pressed Ctrl-C twice while none is there.
 * @param left the jobs that have not ended, as far as is known
 * @param work ends (by throwing) when its signal is given
 * @returns the exit code
 */
export async function whileTied(
  session: Session,
  left: () => readonly Job[],
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { link, streams } = session;
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  const leaveSoon = async () => {
    await sleep(HANGUP_PATIENCE_MS, undefined, { ref: false });
    if (link.isLost()) leave();
  };
  const stop = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal, count) => {
    const isClosed = signal === 'SIGHUP';
    const name = count > 2 ? 'KILL' : signal.slice(3);
    const patienceMs = isClosed ? HANGUP_PATIENCE_MS : 0;
    Promise.all(left().map((job) => sendSignal(session, job, name, patienceMs)))
      .then(() => isClosed && link.onLost(leaveSoon))
      .catch((error: unknown) => {
        if ((isClosed || count > 1) && isUnreachable(error)) return leave();
        const why = `pman: ${signal} did not get to the job: ${(error as Error).message}`;
        const next = isUnreachable(error) ? ` ${streams.signs.dot} once more leaves it` : '';
        streams.err.line(`${why}${next}`);
      });
  });
  // `| head`: a command that ran here would be ended by it.
  const stopHeeding = whenUnread(() => process.kill(process.pid, 'SIGHUP'));
  try {
    return await work(leaving.signal);
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    await tellLeft(session, left());
    return INTERRUPTED;
  } finally {
    stop();
    stopHeeding();
  }
}

/**
 * @param patienceMs how long a server may be away
 * @throws PmanClientError when the order did not get there
 */
async function sendSignal(
  { client }: Session,
  job: Job,
  signal: string,
  patienceMs: number,
): Promise<void> {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      await client.kill(job, { signal });
      return;
    } catch (error) {
      // It has ended meanwhile.
      if (error instanceof PmanClientError && error.code === 'conflict') return;
      if (!isUnreachable(error) || Date.now() >= until) throw error;
    }
    await sleep(AGAIN_MS);
  }
}

const isUnreachable = (error: unknown) =>
  error instanceof PmanClientError && error.code === 'unreachable';
