import type { JobDatabase } from '../records/database.ts';
import type { Jobs } from './jobs.ts';

/**
 * Removes jobs that have ended, with all that is kept of them: the records, then the outputs.
 * @throws PmanError storage when the disk does not part with a record: that job stays, and those behind it
 */
export function removeJobs(
  { database, jobs }: { readonly database: JobDatabase; readonly jobs: Pick<Jobs, 'forget'> },
  roots: readonly string[],
): void {
  try {
    database.remove(roots);
  } finally {
    for (const root of roots) if (!database.has(root)) jobs.forget(root);
  }
}
