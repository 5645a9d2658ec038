import type { Pace } from '../concurrency/turns.ts';
import type { JobDatabase } from '../records/database.ts';
import type { Jobs } from './jobs.ts';

/**
 * Removes jobs that have ended, with all that is kept of them: the records, then the outputs; in turns with other work.
 * @throws PmanError storage when the disk does not part with a record: that job stays, and those behind it
 */
export async function removeJobs(
  { database, jobs }: { readonly database: JobDatabase; readonly jobs: Pick<Jobs, 'forget'> },
  roots: readonly string[],
  pace?: Pace,
): Promise<void> {
  await database.remove(roots, { whenGone: (root) => jobs.forget(root), ...(pace && { pace }) });
}
