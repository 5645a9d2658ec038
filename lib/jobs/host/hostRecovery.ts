import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import { newRecord } from '../../records/record.ts';
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
  for (const root of parts.spool.roots()) {
    try {
      recoverJob(root, parts);
    } catch (error) {
      // One job is no reason not to start: it stays as it is until the next start.
      parts.log.warn('a job cannot be taken up', { root, error: messageOf(error) });
    }
  }
}

function recoverJob(root: string, { database, spool, runs }: RecoveryParts): void {
  const state = spool.isOpen(root) ? spool.readMended(root) : undefined;
  if (state === undefined) {
    // Its record was removed by hand, or it was never accepted.
    if (!database.has(root)) spool.forget(root);
    else if (spool.isOpen(root)) spool.discardJournal(root);
    return;
  }
  if (!database.has(root)) database.add(root, newRecord((state.request.owner as SpoolOwner).job));
  database.hold(root);
  runs.takeUp(root, state);
}
