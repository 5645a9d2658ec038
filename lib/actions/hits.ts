import { PmanError } from '../errors.ts';
import type { JobProgress } from '../jobs/progress.ts';
import type { TreeNode } from '../tree/node.ts';
import { dumps } from '../wire/pythonJson.ts';
import type { SearchMeta } from '../wire/request.ts';
import type { Services } from './action.ts';

/** A job that a search has found. */
export interface Hit {
  readonly root: string;
  readonly record: TreeNode;
  readonly progress: JobProgress;
}

type Searched = Pick<Services, 'database' | 'jobs'>;

/** The jobs that a request's `key` and `value` name, oldest first. */
export function hitsOf({ database, jobs }: Searched, { key, value }: SearchMeta): readonly Hit[] {
  const hits: Hit[] = [];
  for (const root of database.find(key, value)) {
    const record = database.tree(root);
    if (record !== undefined) hits.push({ root, record, progress: jobs.progress(record) });
  }
  return hits;
}

/** @throws PmanError not_found when no job is named */
export function requireHits(services: Searched, meta: SearchMeta): readonly Hit[] {
  const hits = hitsOf(services, meta);
  if (hits.length > 0) return hits;
  throw noSuchJob(meta);
}

/** What is to be said of a search that finds nothing. */
export function noSuchJob({ key, value }: SearchMeta): PmanError {
  return new PmanError('not_found', `no job has ${key} ${dumps(value).slice(0, 200)}`, {
    hint: 'GET /api/v1 lists the jobs',
  });
}
