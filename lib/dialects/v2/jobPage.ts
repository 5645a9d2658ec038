import { freely } from '../../concurrency/turns.ts';
import type { JobState } from '../../jobs/states.ts';
import type { JobSummary } from '../../records/index/jobIndex.ts';
import { byOrder } from '../../records/jobRoot.ts';
import { TreeNode } from '../../tree/node.ts';
import type { ApiContext } from './apiRoute.ts';
import { jobResource } from './jobResource.ts';
import type { JobResource, ListQuery } from './schemas.ts';

export interface JobPage {
  readonly jobs: readonly JobResource[];
  readonly next: string | null;
}

/** Some of the jobs that fit, and where the next ones begin: pages neither repeat a job nor leave one out that stays. */
export async function jobPage({ database, jobs }: ApiContext, query: ListQuery): Promise<JobPage> {
  const { auid, jid, state, order, limit, cursor: after } = query;
  const roots =
    jid !== undefined
      ? await database.find('jid', jid)
      : auid !== undefined
        ? database.rootsOf(auid)
        : database.roots();
  const found: JobResource[] = [];
  for (const root of order === 'oldest' ? upward(roots, after) : downward(roots, after)) {
    if (freely.isOthersTurn) await freely.turn();
    const summary = database.summary(root);
    if (auid !== undefined && summary?.auid !== auid) continue;
    if (state !== undefined && !mayBe(summary, state)) continue;
    const job = jobResource(jobs, root, database.tree(root) ?? new TreeNode());
    if (state !== undefined && !state.includes(job.state)) continue;
    if (found.length === limit) return { jobs: found, next: found.at(-1)?.id ?? null };
    found.push(job);
  }
  return { jobs: found, next: null };
}

/** Whether a job can be in one of the states, by what is known without its record. */
function mayBe(summary: JobSummary | undefined, states: readonly JobState[]): boolean {
  switch (summary?.status) {
    case undefined:
      return states.some((state) => state === 'waiting' || state === 'running');
    case 'finishedSuccessfully':
      return states.includes('succeeded');
    case 'lost':
      return states.includes('lost');
    default:
      return states.some((state) => state === 'failed' || state === 'killed');
  }
}

function* upward(roots: readonly string[], after: string | undefined): Generator<string> {
  for (const root of roots) if (after === undefined || byOrder(root, after) > 0) yield root;
}

function* downward(roots: readonly string[], after: string | undefined): Generator<string> {
  for (let i = roots.length - 1; i >= 0; i -= 1) {
    const root = roots[i];
    if (root !== undefined && (after === undefined || byOrder(root, after) < 0)) yield root;
  }
}
