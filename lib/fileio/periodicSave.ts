import type { JobDatabase } from '../jobs/database.ts';

/** Saves the database every so often, in milliseconds: the net below the saves that follow each change. */
export function savePeriodically(database: JobDatabase, periodMs: number): { close(): void } {
  const timer = setInterval(() => void database.save(), periodMs);
  return { close: () => clearInterval(timer) };
}
