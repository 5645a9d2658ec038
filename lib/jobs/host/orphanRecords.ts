import type { JobDatabase } from '../../records/database.ts';
import { recordLost } from '../../records/record.ts';
import { isDone, progressOf } from '../progress.ts';

/** Closes the records of host jobs that have not ended and that nobody runs: nobody will ever tell how they end. */
export function closeOrphans(database: JobDatabase, isActive: (root: string) => boolean): void {
  for (const root of database.unfinished()) {
    if (isActive(root)) continue;
    const tree = database.tree(root);
    const record = database.edit(root);
    if (tree === undefined || record === undefined || tree.children.has('container')) continue;
    if (!isDone(tree)) {
      recordLost(record, progressOf(tree).started.length, 'nothing is left that ran it');
    }
    database.release(root);
  }
}
