import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CODES, type FailureKind, PurlFailure } from '../failure.ts';
import type { FolderWay } from './folderWay.ts';

/** What may be over in a moment. */
const PASSING: readonly FailureKind[] = ['connect', 'resolve', 'partial', 'timeout', 'badAnswer'];
const LONGEST_MS = 30_000;
/** How often in a row the other side may not be there. */
const MOST_TRIES = 12;

/**
 * Does something again when the connection is lost: after 1, 2, 4 … 30 seconds. A server that was not reached before is
 * not waited for: its address may be wrong. The pauses begin anew when something has come of a try. A server that answers
 * and yet brings nothing is given up as one that is away.
 * @param attempt tells `kept` when the server answers, and how much it has by now that no later try has to move again
 * @throws PurlFailure
 */
export async function untilDone(
  { show, signal, url, mostTries = MOST_TRIES }: FolderWay,
  attempt: (kept: (bytes: number) => void) => Promise<void>,
): Promise<void> {
  let tries = 0;
  let wasReached = false;
  let most = 0;
  for (;;) {
    try {
      await attempt((bytes) => {
        wasReached = true;
        if (bytes > most) tries = 0;
        most = Math.max(most, bytes);
      });
      return;
    } catch (error) {
      const isPassing = error instanceof PurlFailure && PASSING.includes(error.kind);
      if (!isPassing || !wasReached || tries >= mostTries) throw error;
      const pauseMs = Math.min(LONGEST_MS, 1000 * 2 ** tries);
      tries += 1;
      const when = new Date().toLocaleTimeString('en-GB');
      show.note(`-- connection to ${url.host} lost ${when} · again in ${pauseMs / 1000} s`);
      await pause(pauseMs, signal);
    }
  }
}

/** @throws PurlFailure `interrupted` */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new PurlFailure('interrupted', 'interrupted', { cause });
  }
}

/** Whether the other side has gone, or the way to it. */
export function isLost({ kind }: PurlFailure): boolean {
  return PASSING.includes(kind);
}

/** Whether a failure leaves what has arrived on the other side, or here, to go on from. */
export function isResumable({ kind }: PurlFailure): boolean {
  return EXIT_CODES[kind] === EXIT_CODES.interrupted || PASSING.includes(kind);
}
