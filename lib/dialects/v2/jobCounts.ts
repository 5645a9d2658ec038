import { freely } from '../../concurrency/turns.ts';
import { JOB_STATES, type JobState, stateOf } from '../../jobs/states.ts';
import { ACTIVE } from '../../records/index/jobIndex.ts';
import { TreeNode } from '../../tree/node.ts';
import type { ApiContext } from './apiRoute.ts';
import { candidates, filterOf, fitsSummary } from './jobFilter.ts';
import { fitsWhole, wholly } from './jobPage.ts';
import type { ListQuery } from './listSchemas.ts';

export type Counts = Record<JobState, number>;

const OVER = ['succeeded', 'failed', 'killed', 'lost'] as const;

/** How many looks are between two looks at the clock. */
const LOOKS = 64;

/**
 * How many jobs there are in each state that fit a query, whatever state it asks for. Without another filter those that
 * have ended are not looked at.
 * @throws PmanError unavailable while not all records are known
 */
export async function jobCounts(context: ApiContext, query: ListQuery): Promise<Counts> {
  const { database, jobs } = context;
  const { state: _, ...filter } = filterOf(query);
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Counts;
  const { auid, jid, backend, label, since, until, text, find, name } = filter;
  const isAny = [auid, jid, backend, label, since, until, text, find, name].every(
    (one) => one === undefined,
  );
  const lists = isAny ? [database.in('state', ACTIVE)] : await candidates(database, filter);
  if (isAny) for (const state of OVER) counts[state] = database.in('state', state).length;
  let looks = 0;
  for (const root of lists.flat()) {
    looks += 1;
    if (looks % LOOKS === 0 && freely.isOthersTurn) await freely.turn();
    const summary = database.summary(root);
    if (summary === undefined || (isAny && summary.state !== undefined)) continue;
    const fits = fitsSummary(filter, root, summary);
    if (fits === false || (fits === 'perhaps' && !fitsWhole(filter, wholly(context, root))))
      continue;
    const view = () => jobs.view(database.tree(root) ?? new TreeNode());
    counts[summary.state ?? stateOf(view(), jobs.isStarting(root))] += 1;
  }
  return counts;
}
