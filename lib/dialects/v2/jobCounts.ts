import { freely } from '../../concurrency/turns.ts';
import { JOB_STATES, type JobState, stateOf } from '../../jobs/states.ts';
import { ACTIVE } from '../../records/index/jobIndex.ts';
import type { JobLook } from '../../records/index/jobLook.ts';
import { looksInTurn } from '../../records/index/listedJobs.ts';
import { TreeNode } from '../../tree/node.ts';
import { candidates, filterOf, fitsSummary, isOfAll, type SummaryFilter } from './jobFilter.ts';
import { fitsWhole, isKnown, type Records, wholly } from './jobPage.ts';
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
export async function jobCounts(context: Records, query: ListQuery): Promise<Counts> {
  const { database } = context;
  const { state: _, ...filter } = filterOf(query);
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Counts;
  const { since, until, text, find } = filter;
  const isAny = isOfAll(filter) && since === undefined && until === undefined;
  const lists = isAny ? [database.in('state', ACTIVE)] : candidates(database, filter);
  if (isAny) for (const state of OVER) counts[state] = database.in('state', state).length;
  let looks = 0;
  for (const job of looksInTurn(lists, { isUpward: true, text, find })) {
    looks += 1;
    const state = isKnown(database, job) ? stateWhereItFits(context, filter, job) : undefined;
    if (state !== undefined) counts[state] += 1;
    if (looks % LOOKS === 0 && freely.isOthersTurn) await freely.turn();
  }
  return counts;
}

function stateWhereItFits(
  context: Records,
  filter: SummaryFilter,
  job: JobLook,
): JobState | undefined {
  const fits = fitsSummary(filter, job);
  if (fits === false) return undefined;
  const { root, state } = job;
  if (fits === 'perhaps' && !fitsWhole(filter, wholly(context, root))) return undefined;
  if (state !== undefined) return state;
  const { database, jobs } = context;
  return stateOf(jobs.view(database.outline(root) ?? new TreeNode()), jobs.isStarting(root));
}
