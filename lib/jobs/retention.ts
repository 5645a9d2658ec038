import { inTurns } from '../concurrency/turns.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { JobDatabase } from '../records/database.ts';
import { acceptedAt } from '../records/jobRoot.ts';
import type { Jobs } from './jobs.ts';
import { removeJobs } from './removal.ts';

/** What is kept of jobs that have ended; undefined: everything. */
export interface Retention {
  /** Jobs accepted longer ago than this, in milliseconds, are removed. */
  readonly ageMs: number | undefined;
  /** Of more jobs than this the oldest are removed. */
  readonly count: number | undefined;
  /** While records and outputs take more than this, in bytes, the oldest are removed. */
  readonly bytes: number | undefined;
}

/**
 * Removes the records and outputs of jobs that have ended and are beyond what is to be kept, oldest first; none before all
 * records are known. Does not throw: what the disk does not part with is tried again the next time.
 */
export async function removeOld(
  { database, jobs, log }: { database: JobDatabase; jobs: Pick<Jobs, 'forget'>; log: Logger },
  retention: Retention,
): Promise<void> {
  if (database.indexing !== undefined || keepsAll(retention)) return;
  const gone = await inTurns(tooOld(database, retention));
  if (gone.length === 0) return;
  try {
    await removeJobs({ database, jobs }, gone);
    log.info('old jobs were removed', { jobs: gone.length });
  } catch (error) {
    log.warn('old jobs cannot be removed', { reason: messageOf(error) });
  }
}

function keepsAll({ ageMs, count, bytes }: Retention): boolean {
  return ageMs === undefined && count === undefined && bytes === undefined;
}

/** The jobs that have ended and are not to be kept, oldest first. */
function* tooOld(
  database: JobDatabase,
  { ageMs, count, bytes }: Retention,
): Generator<void, readonly string[], void> {
  let left = 0;
  let size = 0;
  for (const { status, bytes = 0 } of database.roots().looks()) {
    if (status !== undefined) {
      left += 1;
      size += bytes;
    }
    yield;
  }
  const oldest = ageMs === undefined ? Number.NEGATIVE_INFINITY : Date.now() - ageMs;
  const gone: string[] = [];
  for (const job of database.roots().looks()) {
    if (job.status === undefined) continue;
    const { root } = job;
    const tooMany = count !== undefined && left > count;
    const tooLarge = bytes !== undefined && size > bytes;
    if (acceptedAt(root) >= oldest && !tooMany && !tooLarge) {
      if (ageMs === undefined) break;
      // A job that came when the clock was ahead is before jobs that are older by their time.
      yield;
      continue;
    }
    size -= job.bytes ?? 0;
    left -= 1;
    gone.push(root);
    yield;
  }
  return gone;
}
