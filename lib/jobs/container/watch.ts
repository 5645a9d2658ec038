import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import type { ActiveJobs } from './activeJobs.ts';
import { recordContainerStatus, WRITE_RUNNING } from './containerRecord.ts';
import type { Endings } from './endings.ts';
import type { Engine, Look, LookOptions } from './engine.ts';
import { ContainerFollower } from './follower.ts';
import type { ContainerJob } from './job.ts';
import { statusOfLook } from './recorded.ts';

export interface WatchOptions {
  readonly database: JobDatabase;
  readonly active: ActiveJobs;
  readonly endings: Endings;
  readonly engine: () => Promise<Engine>;
  readonly isClosed: () => boolean;
  /** A job was seen to run although its end was ordered. */
  readonly onStillRunning: (job: ContainerJob) => void;
  readonly log: Logger;
}

/** How often a job is looked at that a client waits for, in milliseconds. */
const AWAITED_LOOK_MS = 2000;

/** Finds out how container jobs stand, and writes it into their records. */
export class ContainerWatch {
  readonly #options: WatchOptions;
  readonly #follower: ContainerFollower;
  #wasAway = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#follower = new ContainerFollower({
      engine: options.engine,
      log: options.log,
      look: (names) => this.#lookAt(names),
    });
  }

  /** Whether the engine is known to be there: it tells its changes, and has answered when it was asked last. */
  get isHeard(): boolean {
    return this.#follower.isListening && !this.#wasAway;
  }

  /** There is a job to follow. */
  start(): void {
    this.#follower.start();
  }

  /** There is none any more. */
  stop(): void {
    this.#follower.stop();
  }

  close(): void {
    this.#follower.close();
  }

  /** Looks at one job for a client; calls at the same time share a look. */
  look(job: ContainerJob): Promise<void> {
    job.inFlight.look ??= this.#look([job], { closely: true }, true).finally(() => {
      job.inFlight.look = undefined;
    });
    return job.inFlight.look;
  }

  /** Resolves when the job has ended; looks at it meanwhile. */
  async ended(root: string): Promise<void> {
    const { active, isClosed } = this.#options;
    let isOver = false;
    const over = active.untilEnded(root).then(() => {
      isOver = true;
    });
    for (;;) {
      await Promise.race([over, sleep(AWAITED_LOOK_MS, undefined, { ref: false })]);
      const job = active.get(root);
      if (isOver || job === undefined || isClosed()) return;
      if (this.isHeard) continue; // all are looked at as often, in one look
      this.look(job).catch((error: unknown) => {
        this.#options.log.debug('cannot look at a job', { job: root, reason: messageOf(error) });
      });
    }
  }

  async #lookAt(names: ReadonlySet<string> | 'all'): Promise<void> {
    const jobs = this.#options.active
      .all()
      .filter(({ name }) => names === 'all' || names.has(name));
    await this.#look(jobs, { haveChanged: names !== 'all' });
  }

  /** @param isAwaited whether it resolves once the records of those that have ended have their ends, outputs and all */
  async #look(
    jobs: readonly ContainerJob[],
    options: LookOptions = {},
    isAwaited = false,
  ): Promise<void> {
    const started = jobs.filter((job) => job.started !== undefined && !job.isOver);
    if (started.length === 0) return;
    try {
      const engine = await this.#options.engine();
      const looks = await engine.look(
        started.map(({ work }) => work),
        options,
      );
      this.#wasAway = false;
      const closing = started.map((job) => this.#apply(job, looks.get(job.name)));
      if (isAwaited) await Promise.all(closing);
      else this.#heed(closing);
    } catch (error) {
      this.#wasAway = error instanceof PmanError && error.code === 'unavailable';
      throw error;
    }
  }

  /** An output that is read slowly holds up no look. What fails is tried again at the next one. */
  #heed(closing: readonly Promise<void>[]): void {
    for (const one of closing) {
      one.catch((error: unknown) => {
        this.#options.log.debug('a job cannot be closed yet', { reason: messageOf(error) });
      });
    }
  }

  async #apply(job: ContainerJob, look: Look | undefined): Promise<void> {
    const { active, database, endings, onStillRunning } = this.#options;
    if (job.isOver || !active.has(job.root)) return;
    // How it ended may have been seen before it was removed, when its last words could not be read.
    const known = look ?? (job.seen?.kind === 'ended' ? job.seen : undefined);
    if (known === undefined) return endings.vanished(job);
    if (known.kind === 'ended') return endings.ended(job, known);
    job.seen = known;
    const record = database.edit(job.root, WRITE_RUNNING);
    if (record) recordContainerStatus(record, statusOfLook(known), known.cause);
    if (job.state.kind === 'ending') onStillRunning(job);
  }
}
