import type { JobDatabase } from '../../records/database.ts';
import { recordLost } from '../../records/record.ts';
import { isDone, progressOf } from '../progress.ts';

export interface OrphanOptions {
  /** Whether somebody runs a job, or will. */
  readonly isActive: (root: string) => boolean;
  /** The job is lost from now on. */
  readonly onLost: (root: string) => void;
}

/** Closes the records of host jobs that have not ended and that nobody runs: nobody will ever tell how they end. */
export function* closeOrphans(
  database: JobDatabase,
  { isActive, onLost }: OrphanOptions,
): Generator<void, void, void> {
  for (const root of database.unfinished()) {
    yield;
    // It may have ended, or been removed, while others had their turns.
    if (isActive(root) || database.summary(root)?.status !== undefined) continue;
    const tree = database.tree(root);
    const record = database.edit(root);
    if (tree === undefined || record === undefined || tree.children.has('container')) continue;
    const isLost = !isDone(tree);
    if (isLost) recordLost(record, progressOf(tree).started.length, 'nothing is left that ran it');
    database.release(root);
    if (isLost) onLost(root);
  }
}
