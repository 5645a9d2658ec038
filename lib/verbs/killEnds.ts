import { type Job, type PmanClient, PmanClientError } from '../client/index.ts';
import { eachAtMost } from './atMost.ts';

/** For so long the end of killed jobs is waited for, all in all, to say it. */
const END_MS = 3000;
/** And so long a server may take then to say how they stand. */
const LOOK_MS = 5000;

/** How jobs stand that were sent a signal. */
export interface Ends {
  /** By their ids; undefined for one that is gone. Those that are not in it are as they were. */
  readonly known: ReadonlyMap<string, Job | undefined>;
  /** Of these no server says how they stand. */
  readonly unknown: ReadonlySet<string>;
}

/**
 * Waits until all have ended, at most {@link END_MS}: by the events, so that a hundred jobs take no more than one does.
 * @param after the number of an event before the first of them was sent its signal
 */
export async function endsOf(
  client: PmanClient,
  jobs: readonly Job[],
  after: number,
): Promise<Ends> {
  await untilEnded(client, jobs, after);
  const endMs = performance.now() + LOOK_MS;
  const looks = await eachAtMost(jobs, (job) => {
    const leftMs = Math.max(0, Math.ceil(endMs - performance.now()));
    return client.job(job, { signal: AbortSignal.timeout(leftMs) });
  });
  const known = new Map<string, Job | undefined>();
  const unknown = new Set<string>();
  for (const [i, { id }] of jobs.entries()) {
    const look = looks[i];
    if (look?.status === 'fulfilled') known.set(id, look.value);
    else if (hasCode(look?.reason, 'not_found')) known.set(id, undefined);
    // Whatever went wrong: the order was accepted, and is no failure.
    else unknown.add(id);
  }
  return { known, unknown };
}

async function untilEnded(client: PmanClient, jobs: readonly Job[], after: number): Promise<void> {
  const left = new Set(jobs.filter(({ endedAt }) => endedAt === null).map(({ id }) => id));
  if (left.size === 0) return;
  const signal = AbortSignal.timeout(END_MS);
  try {
    for await (const { id } of client.events({ after, type: ['ended', 'removed'] }, { signal })) {
      left.delete(id);
      if (left.size === 0) return;
    }
  } catch (error) {
    // The time is over, or nobody tells of events: the jobs themselves say how they stand.
    if (!signal.aborted && !(error instanceof PmanClientError)) throw error;
  }
}

const hasCode = (error: unknown, code: string) =>
  error instanceof PmanClientError && error.code === code;
