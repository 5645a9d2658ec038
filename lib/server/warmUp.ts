import { setTimeout as sleep } from 'node:timers/promises';
import { rehearseLists } from '../dialects/v2/index.ts';
import { messageOf } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Logger } from '../log.ts';
import { FIRST_LIST } from '../page/firstRequest.ts';
import type { JobDatabase } from '../records/database.ts';

/** Whoever has waited for the start of pman asks first, in milliseconds. */
const WAIT_MS = 300;

export interface WarmUpOptions {
  readonly database: JobDatabase;
  readonly jobs: Jobs;
  /** Resolves when all records are known; undefined when they are. */
  readonly after: Promise<unknown> | undefined;
  readonly log: Logger;
}

/** Once pman has started, does what first requests would have to wait for. Nothing depends on it. */
export function warmUp({ database, jobs, after, log }: WarmUpOptions): { close(): void } {
  const ending = new AbortController();
  const work = async () => {
    await after;
    await sleep(WAIT_MS, undefined, { signal: ending.signal, ref: false });
    await rehearseLists({ database, jobs }, FIRST_LIST, ending.signal);
  };
  work().catch((error: unknown) => {
    if (!ending.signal.aborted) log.debug('no list was rehearsed', { reason: messageOf(error) });
  });
  return { close: () => ending.abort() };
}
