import { setTimeout as sleep } from 'node:timers/promises';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { messageOf, PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { outputCause } from '../causeWords.ts';
import type { ActiveJobs } from './activeJobs.ts';
import type { Engine, Worker } from './engine.ts';
import type { ContainerJob } from './job.ts';

export interface ContainerOutputLimitsOptions {
  readonly active: ActiveJobs;
  readonly engine: () => Promise<Engine>;
  readonly isClosed: () => boolean;
  /** Ends a job; throws while the engine is away. */
  readonly kill: (root: string, request: KillRequest) => Promise<unknown>;
  readonly log: Logger;
}

/** How often it is looked whether another container has started, or the engine is back, in milliseconds. */
const LOOK_MS = 500;
/** How long a job that writes too much has before SIGKILL, in milliseconds. */
const GRACE_MS = 5000;

/** Ends container jobs that write more than they may, also those that an earlier server has started. */
export class ContainerOutputLimits {
  readonly #options: ContainerOutputLimitsOptions;
  readonly #closing = new AbortController();

  constructor(options: ContainerOutputLimitsOptions) {
    this.#options = options;
  }

  /** Watches over a job that has been started. */
  watch(job: ContainerJob): void {
    const { maxOutputBytes } = job.facts.limits;
    if (maxOutputBytes !== undefined) void this.#watch(job, maxOutputBytes);
  }

  close(): void {
    this.#closing.abort();
  }

  async #watch(job: ContainerJob, maxBytes: number): Promise<void> {
    const { active, isClosed } = this.#options;
    const over = new AbortController();
    void active.untilEnded(job.root).then(() => over.abort());
    const signal = AbortSignal.any([over.signal, this.#closing.signal]);
    const followed = new Set<string>();
    while (!signal.aborted && !isClosed() && active.has(job.root)) {
      for (const worker of job.seen?.workers ?? []) {
        if (followed.has(worker.id)) continue;
        followed.add(worker.id);
        void this.#follow(job, worker, maxBytes, signal).then((isDone) => {
          if (!isDone) followed.delete(worker.id);
        });
      }
      await sleep(LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  /** @returns whether there is nothing more to see to */
  async #follow(
    job: ContainerJob,
    worker: Worker,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { engine, kill, log } = this.#options;
    try {
      const found = await writesBeyond(await engine(), worker, maxBytes, signal);
      if (found === 'more') {
        const cause = outputCause(maxBytes);
        await kill(job.root, { signal: 'SIGTERM', graceMs: GRACE_MS, cause });
      }
      return found !== 'unseen';
    } catch (error) {
      if (!(error instanceof PmanError)) {
        log.error('the output of a job cannot be watched', {
          job: job.root,
          error: messageOf(error),
        });
      }
      return false;
    }
  }
}

/**
 * Whether a worker writes more than so many bytes: follows it until it does, or ends. `unseen`: its output is not at hand.
 * @throws PmanError as `follow` of the engine does
 */
export async function writesBeyond(
  engine: Engine,
  worker: Worker,
  maxBytes: number,
  signal: AbortSignal,
): Promise<'more' | 'no more' | 'unseen'> {
  let isOpen = false;
  let isMore = false;
  const enough = new AbortController();
  await engine.follow(worker, {
    from: maxBytes,
    signal: AbortSignal.any([signal, enough.signal]),
    onOpen: () => {
      isOpen = true;
    },
    write: async (bytes) => {
      if (bytes.length === 0) return;
      isMore = true;
      enough.abort();
    },
  });
  if (isMore) return 'more';
  return isOpen ? 'no more' : 'unseen';
}
