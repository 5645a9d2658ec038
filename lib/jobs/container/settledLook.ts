import { setTimeout as sleep } from 'node:timers/promises';
import { CAUSES, KILLED_EXIT, STOPPED_EXIT } from '../causeWords.ts';
import type { Look } from './engine.ts';

/** How long the removal of what was killed may take, in milliseconds. */
const REMOVAL_MS = 2000;
/** The first pause between two looks; each is twice the one before, as a look may take a container of a manager. */
const FIRST_PAUSE_MS = 200;

/**
 * How a job has ended that pman has not ended. Whoever removes a container that runs has it killed first, and between the two
 * it is there, with the exit code of the signal: so that what a record tells does not depend on who was quicker, what looks
 * like the first half of a removal is looked at again for a moment. Undefined when it is not there any more.
 * @param again how it stands now
 */
export async function settledLook(
  look: Look,
  again: () => Promise<Look | undefined>,
): Promise<Look | undefined> {
  const until = performance.now() + REMOVAL_MS;
  let settled: Look | undefined = look;
  for (let pauseMs = FIRST_PAUSE_MS; settled && mayBeInRemoval(settled); pauseMs *= 2) {
    const leftMs = until - performance.now();
    if (leftMs <= 0) break;
    await sleep(Math.min(pauseMs, leftMs), undefined, { ref: false });
    const next = await again();
    if (next === undefined || next.kind === 'ended') settled = next;
  }
  return settled;
}

/** What was never started, or lost with its node, is not: nobody waits for that. */
function mayBeInRemoval(look: Look): boolean {
  if (look.kind !== 'ended' || look.outcome === 'succeeded') return false;
  const { cause = '', workers } = look;
  return cause.startsWith(CAUSES.removed) || workers.some(({ exitCode }) => isByRemoval(exitCode));
}

const isByRemoval = (exitCode: number | null) =>
  exitCode === KILLED_EXIT || exitCode === STOPPED_EXIT;
