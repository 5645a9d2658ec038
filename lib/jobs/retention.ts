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
export function removeOld(
  { database, jobs, log }: { database: JobDatabase; jobs: Pick<Jobs, 'forget'>; log: Logger },
  { ageMs, count, bytes }: Retention,
): void {
  if (database.indexing !== undefined) return;
  const ended = database.roots().filter((root) => database.summary(root)?.status !== undefined);
  const oldest = ageMs === undefined ? Number.NEGATIVE_INFINITY : Date.now() - ageMs;
  let size = 0;
  if (bytes !== undefined) for (const root of ended) size += database.summary(root)?.bytes ?? 0;
  const gone: string[] = [];
  for (const root of ended) {
    const tooMany = count !== undefined && ended.length - gone.length > count;
    const tooLarge = bytes !== undefined && size > bytes;
    if (acceptedAt(root) >= oldest && !tooMany && !tooLarge) break;
    size -= database.summary(root)?.bytes ?? 0;
    gone.push(root);
  }
  if (gone.length === 0) return;
  try {
    removeJobs({ database, jobs }, gone);
    log.info('old jobs were removed', { jobs: gone.length });
  } catch (error) {
    log.warn('old jobs cannot be removed', { reason: messageOf(error) });
  }
}
