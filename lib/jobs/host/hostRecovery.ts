import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import { newRecord } from '../../records/record.ts';
import { isDone, progressOf } from '../progress.ts';
import type { AcceptedJob } from './acceptedJobs.ts';
import type { HostRuns } from './hostRuns.ts';
import type { HostSpool } from './hostSpool.ts';
import type { SpoolOwner } from './poller.ts';

interface RecoveryParts {
  readonly database: JobDatabase;
  readonly spool: HostSpool;
  readonly runs: HostRuns;
  readonly log: Logger;
}

/** Finds the jobs that an earlier server left: goes on watching them, or writes down how they ended. */
export async function recoverJobs(parts: RecoveryParts): Promise<void> {
  await parts.runs.find();
  for (const [root, accepted] of parts.spool.left()) {
    try {
      if (accepted === undefined || !recoverWaiting(root, accepted, parts)) recoverJob(root, parts);
    } catch (error) {
      // One job is no reason not to start: it stays as it is until the next start.
      parts.log.warn('a job cannot be taken up', { root, error: messageOf(error) });
    }
  }
}

/**
 * Takes up a job that was accepted and has no journal of its own.
 * @returns false for another one, or one that has begun: a machine that went down can lose the line that said so
 */
function recoverWaiting(
  root: string,
  { request, dropped }: AcceptedJob,
  { database, spool, runs }: RecoveryParts,
): boolean {
  if (spool.hasJournal(root) && spool.readMended(root) !== undefined) {
    spool.goOn(root);
    return false;
  }
  const record = database.tree(root);
  if (record === undefined) database.add(root, newRecord((request.owner as SpoolOwner).job));
  else if (dropped === undefined && (isDone(record) || progressOf(record).started.length > 0)) {
    spool.began(root);
    return false;
  }
  if (spool.hasOutput(root)) {
    spool.began(root);
    return false;
  }
  // What a kill has left of the folder that it was being given.
  spool.removeFolder(root);
  database.hold(root);
  runs.takeUp(root, { request, parts: [], ...(dropped === undefined ? {} : { dropped }) });
  return true;
}

function recoverJob(root: string, { database, spool, runs }: RecoveryParts): void {
  const state = spool.readMended(root);
  if (state === undefined) {
    // Its record was removed by hand, or it was never accepted.
    if (!database.has(root)) spool.forget(root);
    else if (spool.hasJournal(root)) spool.discardJournal(root);
    return;
  }
  if (!database.has(root)) database.add(root, newRecord((state.request.owner as SpoolOwner).job));
  database.hold(root);
  runs.takeUp(root, state);
}
