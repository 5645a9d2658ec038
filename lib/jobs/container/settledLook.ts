import { setTimeout as sleep } from 'node:timers/promises';
import { KILLED_EXIT, STOPPED_EXIT } from '../causeWords.ts';
import type { Look } from './engine.ts';

/** How long the removal of what was killed may take, in milliseconds. */
const REMOVAL_MS = 2000;
const PAUSE_MS = 200;

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
  while (settled !== undefined && mayBeInRemoval(settled) && performance.now() < until) {
    await sleep(PAUSE_MS, undefined, { ref: false });
    const next = await again();
    if (next === undefined || next.kind === 'ended') settled = next;
  }
  return settled;
}

function mayBeInRemoval(look: Look): boolean {
  if (look.kind !== 'ended' || look.outcome === 'succeeded') return false;
  return look.outcome === 'unknown' || look.workers.some(({ exitCode }) => isByRemoval(exitCode));
}

const isByRemoval = (exitCode: number | null) =>
  exitCode === KILLED_EXIT || exitCode === STOPPED_EXIT;
