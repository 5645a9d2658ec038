import { PmanError } from '../errors.ts';
import { type JobProgress, progressOf } from '../jobs/progress.ts';
import type { TreeNode } from '../tree/node.ts';
import type { SearchMeta } from '../wire/request.ts';
import type { Services } from './action.ts';

/** A job that a search has found. */
export interface Hit {
  readonly root: string;
  readonly record: TreeNode;
  readonly progress: JobProgress;
}

/** The jobs that a request's `key` and `value` name, oldest first. */
export function hitsOf(services: Services, { key, value }: SearchMeta): readonly Hit[] {
  const hits: Hit[] = [];
  for (const root of services.database.find(key, value)) {
    const record = services.database.tree(root);
    if (record !== undefined) hits.push({ root, record, progress: progressOf(record) });
  }
  return hits;
}

/** @throws PmanError not_found when no job is named */
export function requireHits(services: Services, meta: SearchMeta): readonly Hit[] {
  const hits = hitsOf(services, meta);
  if (hits.length > 0) return hits;
  const shown = JSON.stringify(meta.value);
  throw new PmanError('not_found', `no job has ${meta.key} ${shown.slice(0, 200)}`, {
    hint: 'GET /api/v1 lists the jobs',
  });
}
