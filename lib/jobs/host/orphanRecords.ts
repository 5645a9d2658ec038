import type { JobDatabase } from '../../records/database.ts';
import { recordLost } from '../../records/record.ts';
import { isDone, progressOf } from '../progress.ts';

/**
 * Closes the records of host jobs that have not ended and that nobody runs: nobody will ever tell how they end.
 * @returns those that are lost now
 */
export function closeOrphans(
  database: JobDatabase,
  isActive: (root: string) => boolean,
): readonly string[] {
  const lost: string[] = [];
  for (const root of database.unfinished()) {
    if (isActive(root)) continue;
    const tree = database.tree(root);
    const record = database.edit(root);
    if (tree === undefined || record === undefined || tree.children.has('container')) continue;
    if (!isDone(tree)) {
      recordLost(record, progressOf(tree).started.length, 'nothing is left that ran it');
      lost.push(root);
    }
    database.release(root);
  }
  return lost;
}
