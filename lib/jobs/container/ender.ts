import { setTimeout as sleep } from 'node:timers/promises';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ActiveJobs } from './activeJobs.ts';
import type { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import type { ContainerJob } from './job.ts';

export interface EnderOptions {
  readonly active: ActiveJobs;
  readonly endings: Endings;
  readonly engine: () => Promise<Engine>;
  /** Resolves when the job has ended. */
  readonly ended: (root: string) => Promise<void>;
  readonly isClosed: () => boolean;
  readonly log: Logger;
}

/** How long after SIGKILL something is removed of which something still runs, in milliseconds. */
const GIVEN_UP_MS = 10_000;

/** Ends container jobs: the signal, SIGKILL after the grace, and the removal of what no signal reaches. */
export class ContainerEnder {
  readonly #options: EnderOptions;

  constructor(options: EnderOptions) {
    this.#options = options;
  }

  /**
   * Orders the end of a job that the engine was asked for. When it resolves, the order is on the disk.
   * @throws PmanError unavailable when the engine is away: the job goes on
   */
  async end(job: ContainerJob, { signal, graceMs, cause }: KillRequest): Promise<void> {
    // One order after the other: one that cannot be sent takes back what it has set, and nothing else.
    while (job.inFlight.order !== undefined) await settled(job.inFlight.order);
    if (job.isOver) return;
    const { started } = job;
    let isReached = true;
    const order = async () => {
      if (started === undefined) return; // whoever starts it finds the order
      const engine = await this.#options.engine();
      isReached = await engine.end(job.work, { signal, graceMs });
    };
    const sent = job.endBy(cause, order);
    job.inFlight.order = sent;
    try {
      await sent;
    } finally {
      if (job.inFlight.order === sent) job.inFlight.order = undefined;
    }
    if (started === undefined || !this.#options.active.has(job.root)) return;
    if (isReached) this.seeTo(job, graceMs);
    else await this.#remove(job);
  }

  /** A job was seen to run although its end was ordered: pman was restarted, the engine away, or it had not started yet. */
  stillRunning(job: ContainerJob): void {
    if (job.inFlight.order === undefined) this.seeTo(job, 0);
  }

  /** Waits for the end of a job whose end was ordered, and helps when it does not come; once at a time. */
  seeTo(job: ContainerJob, graceMs: number): void {
    job.inFlight.end ??= this.#seeTo(job, graceMs)
      .catch((error: unknown) => {
        const reason = messageOf(error);
        this.#options.log.warn('a job could not be ended', { job: job.root, reason });
      })
      .finally(() => {
        job.inFlight.end = undefined;
      });
  }

  async #seeTo(job: ContainerJob, graceMs: number): Promise<void> {
    if (await this.#hasEnded(job, graceMs)) return;
    const engine = await this.#options.engine();
    const isReached = await engine.end(job.work, { signal: 'SIGKILL', graceMs: 0 });
    if (!isReached) await this.#remove(job);
    if (!(await this.#hasEnded(job, GIVEN_UP_MS))) await this.#remove(job);
  }

  async #hasEnded({ root }: ContainerJob, withinMs: number): Promise<boolean> {
    const { active, ended, isClosed } = this.#options;
    await Promise.race([ended(root), sleep(withinMs, undefined, { ref: false })]);
    return isClosed() || !active.has(root);
  }

  /** What no signal reaches waits, or runs elsewhere: its record gets its end, and it is removed. */
  async #remove(job: ContainerJob): Promise<void> {
    if (job.isOver) return;
    const engine = await this.#options.engine();
    const look = (await engine.look([job.work])).get(job.name);
    if (look?.kind === 'ended') await this.#options.endings.ended(job, look);
    else await this.#options.endings.removed(job, look);
  }
}

const settled = (work: Promise<void>) =>
  work.then(
    () => undefined,
    () => undefined,
  );
