import type { Job, RunningJobs, ServerFacts } from '../client/index.ts';
import { nameOf, tookMs } from './jobText.ts';
import type { Session } from './session.ts';
import type { TopChoice, TopRow } from './topScreen.ts';

/** What the server tells at one moment. */
export interface TopData {
  readonly facts: ServerFacts;
  readonly jobs: readonly Job[];
  readonly running: ReadonlyMap<string, RunningJobs['jobs'][number]>;
  /** When that was, by a clock that does not go back. In milliseconds. */
  readonly atMs: number;
}

const MOST_WAITING = 200;
const MOST_FAILED = 200;

/** Asks for all that is shown. @throws PmanClientError */
export async function fetchTop(
  { client }: Session,
  onlyFailed: boolean,
  signal: AbortSignal,
): Promise<TopData> {
  const page = (state: Job['state'][], limit: number) =>
    client.jobPage({ state, limit }, { signal }).then(({ jobs }) => jobs);
  const [facts, running, ...lists] = await Promise.all([
    client.server({ signal }),
    client.running({ signal }),
    ...(onlyFailed
      ? [page(['failed', 'lost'], MOST_FAILED)]
      : [page(['running', 'starting'], 1000), page(['waiting'], MOST_WAITING)]),
  ]);
  return {
    facts,
    jobs: lists.flat(),
    running: new Map(running.jobs.map((job) => [job.id, job])),
    atMs: performance.now(),
  };
}

export interface TopCounts {
  readonly failedToday: number;
  readonly jobsPerHour: number;
}

/** Counts of the last hour and day: the server counts. @throws PmanClientError */
export async function fetchCounts({ client }: Session, signal: AbortSignal): Promise<TopCounts> {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const countsSince = async (since: Date) =>
    (await client.jobPage({ since, limit: 1, counts: '1' }, { signal })).counts;
  const [today, hour] = await Promise.all([
    countsSince(midnight),
    countsSince(new Date(Date.now() - 3600_000)),
  ]);
  const jobsPerHour = Object.values(hour ?? {}).reduce((sum, count) => sum + count, 0);
  return { failedToday: today?.failed ?? 0, jobsPerHour };
}

/** The rows, with the processors that each has used since the time before. */
export function rowsOf(now: TopData, before: TopData | undefined): readonly TopRow[] {
  return now.jobs.map((job) => {
    const running = now.running.get(job.id);
    return { job, running, cpus: cpusOf(job.id, now, before) };
  });
}

function cpusOf(id: string, now: TopData, before: TopData | undefined): number | undefined {
  const [used, earlier] = [now.running.get(id)?.cpuSeconds, before?.running.get(id)?.cpuSeconds];
  if (typeof used !== 'number' || typeof earlier !== 'number' || before === undefined)
    return undefined;
  const seconds = (now.atMs - before.atMs) / 1000;
  // Another part has begun: its time counts from 0 on.
  return seconds > 0 ? Math.max(0, used - earlier) / seconds : undefined;
}

/** Those that fit, in order: running, waiting by place, the rest as it came. */
export function arranged(
  rows: readonly TopRow[],
  { sort, filter, nowMs }: Pick<TopChoice, 'sort' | 'filter'> & { readonly nowMs: number },
): readonly TopRow[] {
  const wanted = filter.toLowerCase();
  const fits = ({ job }: TopRow) =>
    [nameOf(job), job.id, job.command].some((text) => text.toLowerCase().includes(wanted));
  const rank = ({ job }: TopRow) => (job.state === 'waiting' ? 1 + (job.place ?? 1e9) : 0);
  const value = (row: TopRow): number => {
    switch (sort) {
      case 'cpu':
        return -(row.cpus ?? -1);
      case 'memory':
        return -(row.running?.memoryBytes ?? -1);
      case 'time':
        return -(tookMs(row.job, nowMs) ?? -1);
      case 'usual':
      case 'name':
        return rank(row);
    }
  };
  const found = rows.filter(fits);
  if (sort === 'name') return found.toSorted((a, b) => (nameOf(a.job) < nameOf(b.job) ? -1 : 1));
  return found.toSorted((a, b) => value(a) - value(b));
}
