import type { Job, JobQuery } from '../client/index.ts';
import { countOf } from './counts.ts';
import { flagValue, type Words } from './flagWords.ts';
import { labelsWanted } from './newJobFlags.ts';
import { membersFor, type PrintForm } from './printJobs.ts';
import { ownAuid, selectJobs, statesOf } from './selectors.ts';
import type { Session } from './session.ts';
import type { ShownJob } from './shownJob.ts';
import { ageBefore } from './spans.ts';

/** How many jobs a list shows unless it is asked for more. */
export const USUAL_ROWS = 20;

/** Jobs in the order of the list, and how many there are beside them. */
export interface Found {
  readonly jobs: readonly ShownJob[];
  readonly hasMore: boolean;
  /** All jobs of the server that the caller may see. */
  readonly total: number;
  /** Now, by the clock of the server. */
  readonly nowMs: number;
  readonly isNarrowed: boolean;
}

/**
 * The jobs that the words of a command line ask for.
 * @param form how they are to be printed: no more is asked for than that takes
 * @param mayBeNone words that name no job are no error: there may be one later
 * @throws UsageError, CannotError for words that name no jobs
 */
export async function listJobs(
  session: Session,
  words: Words,
  form: PrintForm,
  { mayBeNone = false }: { readonly mayBeNone?: boolean } = {},
): Promise<Found> {
  const { client } = session;
  const limit = rowLimit(words);
  const states = words.rest.map(statesOf).filter((one) => one !== undefined);
  const others = words.rest.filter((word) => statesOf(word) === undefined);
  for (const name of ['failed', 'running']) {
    if (words.switches.has(name)) states.push(statesOf(name) ?? []);
  }
  const query = queryOf(session, words);
  const isNarrowed = words.rest.length > 0 || states.length > 0 || Object.keys(query).length > 0;
  const wanted = states.length === 0 ? undefined : new Set(states.flat());
  const wantedOf = (all: readonly Job['state'][]) =>
    all.filter((state) => wanted === undefined || wanted.has(state));
  const server = client.server();
  server.catch(() => {}); // it is awaited when the others have come
  let jobs: readonly ShownJob[];
  let hasMore = false;
  if (others.length > 0) {
    const selected = await selectJobs(session, others, { mayBeNone });
    jobs = selected.filter(({ state }) => wanted === undefined || wanted.has(state));
    jobs = [...inOrder(jobs.filter(isActive)), ...jobs.filter((job) => !isActive(job))];
  } else {
    const asked = { ...query, ...membersFor(form) };
    const [active, ended] = await Promise.all([
      some(session, { ...asked, state: wantedOf(ACTIVE) }, Number.POSITIVE_INFINITY),
      some(session, { ...asked, state: wantedOf(OVER) }, limit + 1),
    ]);
    jobs = [...inOrder(active), ...ended];
  }
  if (jobs.length > limit) {
    hasMore = true;
    jobs = jobs.slice(0, limit);
  }
  const { jobs: counts, startedAt, uptimeSeconds } = await server;
  const nowMs = Date.parse(startedAt) + uptimeSeconds * 1000;
  return { jobs, hasMore, total: counts.recorded, nowMs, isNarrowed };
}

const ACTIVE = ['running', 'starting', 'waiting'] as const;
const OVER = ['succeeded', 'failed', 'killed', 'lost'] as const;
const isActive = ({ state }: ShownJob) => ACTIVE.some((one) => one === state);

/** Running ones, the newest first; then the waiting by their place. */
function inOrder(jobs: readonly ShownJob[]): readonly ShownJob[] {
  const runs = jobs.filter(({ state }) => state !== 'waiting');
  const waits = jobs.filter(({ state }) => state === 'waiting');
  const place = (job: ShownJob) => job.place ?? Number.POSITIVE_INFINITY;
  return [...runs, ...waits.toReversed().sort((a, b) => place(a) - place(b))];
}

async function some(
  { client }: Session,
  query: JobQuery & { readonly state: readonly Job['state'][] },
  most: number,
): Promise<readonly ShownJob[]> {
  if (query.state.length === 0) return [];
  const jobs: ShownJob[] = [];
  for await (const job of client.jobs({ ...query, limit: Math.min(most, 1000) })) {
    jobs.push(job);
    if (jobs.length >= most) break;
  }
  return jobs;
}

function rowLimit(words: Words): number {
  const asked = countOf(words, 'lines', { shown: '-n', what: 'number of rows' });
  if (words.switches.has('all')) return Number.POSITIVE_INFINITY;
  return asked ?? USUAL_ROWS;
}

function queryOf(session: Session, words: Words): JobQuery {
  const user =
    flagValue(words, 'user') ?? (words.switches.has('mine') ? ownAuid(session) : undefined);
  const since = flagValue(words, 'since');
  const label = labelsWanted(words);
  const text = flagValue(words, 'text');
  return {
    ...(user === undefined ? {} : { auid: user }),
    ...(since === undefined ? {} : { since: ageBefore(since, '--since', Date.now()) }),
    ...(label === undefined ? {} : { label }),
    ...(text === undefined ? {} : { text }),
  };
}
