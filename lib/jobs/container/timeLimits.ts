import { setTimeout as sleep } from 'node:timers/promises';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { timeLimit } from '../../../crunner/job/timeLimit.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ActiveJobs } from './activeJobs.ts';
import type { ContainerJob } from './job.ts';

export interface ContainerTimeLimitsOptions {
  readonly active: ActiveJobs;
  readonly isClosed: () => boolean;
  /** Ends a job; throws while the engine is away. */
  readonly kill: (root: string, request: KillRequest) => Promise<unknown>;
  readonly log: Logger;
}

/** How long to wait before an engine that could not end a job is asked again, in milliseconds. */
const RETRY_MS = 2000;

/** Has container jobs end in time that have a limit, also one whose time ran out while there was no server. */
export class ContainerTimeLimits {
  readonly #options: ContainerTimeLimitsOptions;
  readonly #watches = new Set<() => void>();

  constructor(options: ContainerTimeLimitsOptions) {
    this.#options = options;
  }

  /** Watches over a job that has been started. */
  watch({ root, started, facts }: ContainerJob): void {
    const { timeoutMs } = facts.limits;
    if (started === undefined || timeoutMs === undefined) return;
    const end = timeLimit(started.since, timeoutMs, (request) => {
      void this.#kill(root, request);
    });
    this.#watches.add(end);
    void this.#options.active.untilEnded(root).then(() => {
      end();
      this.#watches.delete(end);
    });
  }

  close(): void {
    for (const end of this.#watches) end();
  }

  async #kill(root: string, request: KillRequest): Promise<void> {
    const { active, isClosed, kill, log } = this.#options;
    while (active.has(root) && !isClosed()) {
      try {
        await kill(root, request);
        return;
      } catch (error) {
        log.warn('a job cannot be ended in time yet', { job: root, reason: messageOf(error) });
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
