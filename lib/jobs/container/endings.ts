import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from '../../concurrency/queue.ts';
import { withinMs } from '../../concurrency/withinMs.ts';
import { messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import type { JsonObject } from '../../wire/json.ts';
import { CAUSES, causeOf, outputCause } from '../causeWords.ts';
import { logEnded } from '../jobLog.ts';
import type { ReadProgress } from '../progress.ts';
import type { ActiveJobs } from './activeJobs.ts';
import { type ContainerEnd, recordContainerEnd, recordScheduled } from './containerRecord.ts';
import { type Engine, type Look, unreadMark } from './engine.ts';
import type { ContainerJob } from './job.ts';
import { writesBeyond } from './outputLimits.ts';
import { type Outputs, readOutputs } from './outputs.ts';
import { statusOfLook } from './recorded.ts';
import { settledLook } from './settledLook.ts';
import type { ContainerJobStore } from './store.ts';

export interface EndingsOptions {
  readonly database: JobDatabase;
  readonly store: ContainerJobStore;
  readonly active: ActiveJobs;
  readonly engine: () => Promise<Engine>;
  readonly host: JsonObject;
  readonly progressOf: ReadProgress;
  /** How much of the output of each worker a record holds, in bytes. */
  readonly logLimitBytes: number;
  /** How long the output of a job that has ended is waited for, in milliseconds. */
  readonly lastWordsMs: number;
  readonly isClosed: () => boolean;
  readonly log: Logger;
}

/** How many are removed from the engine at once. */
const REMOVALS_AT_ONCE = 3;
/** How long it is asked for again while the engine answers anything else, in milliseconds. */
const GIVEN_UP_MS = 60_000;
/** How often it is looked whether a record that was to be filed has been removed instead, in milliseconds. */
const REMOVED_MS = 500;

/**
 * The way of a container job out of pman: its end is put into its record; once that is on the disk, what the engine has of it
 * is removed; then the job is forgotten.
 */
export class Endings {
  readonly #options: EndingsOptions;
  readonly #removals = new Queue(REMOVALS_AT_ONCE);
  /** By name: what jobs that have ended have left at the engine, while it is being removed. */
  readonly #removing = new Map<string, Promise<void>>();
  /** Since when the engine has told how these have ended, but not what they have written. */
  readonly #unheardSince = new WeakMap<ContainerJob, number>();

  constructor(options: EndingsOptions) {
    this.#options = options;
  }

  /** Resolves when nothing of a job that has ended keeps this name. */
  async nameIsFree(name: string): Promise<void> {
    await this.#removing.get(name);
  }

  /** Resolves when the engine has nothing left of the jobs that have ended. */
  async allRemoved(): Promise<void> {
    await Promise.all(this.#removing.values());
  }

  /** Nothing of it has run, and nothing will. */
  notStarted(job: ContainerJob, failure: string): void {
    const { database, host } = this.#options;
    const record = database.edit(job.root);
    const now = preciseNow();
    if (record) {
      recordScheduled(record, job.facts.recorded, {
        ...{ printed: '', startedAt: now, endedAt: now, host, failure },
      });
    }
    this.#finish(job, {
      ...{ status: 'finishedWithError', shown: undefined, workers: [], ...NOTHING, cause: failure },
      endedAt: now,
    });
  }

  /**
   * Writes down how it has ended, with its last words; once, however often this is called. While the engine is away it stays
   * as it is. Last words that cannot be read are left out: they hold up no end.
   */
  async ended(job: ContainerJob, seen: Look): Promise<void> {
    await this.#closing(job, async () => {
      const look = await this.#settled(job, seen);
      if (look === undefined) return vanishedEnd(job);
      job.seen = look;
      const outputs = await this.#lastWords(job, look);
      const overrun = await this.#overrun(job, look);
      const isWell = overrun === undefined && statusOfLook(look) === 'finishedSuccessfully';
      // One that ended well did so by itself, whatever a client has ordered; at its time limit it was not through.
      const isOwn = isWell && !isCutOff(job, look);
      const status = isOwn ? 'finishedSuccessfully' : 'finishedWithError';
      const cause = isOwn ? look.cause : (job.endCause ?? overrun ?? look.cause);
      const known = { shown: look.shown, workers: shownOf(look), endedAt: endOf(look) };
      return { status, ...known, ...outputs, cause };
    });
  }

  /** It is ended by being removed: no signal reaches it. `look`: how it stands; undefined when it is not there. */
  async removed(job: ContainerJob, look: Look | undefined): Promise<void> {
    await this.#closing(job, async () => ({
      status: 'finishedWithError',
      shown: look?.shown,
      workers: look === undefined ? [] : shownOf(look),
      ...(look === undefined ? NOTHING : await this.#lastWords(job, look)),
      cause: job.endCause ?? 'it was ended',
      endedAt: preciseNow(),
    }));
  }

  /** It is not there any more, and nobody has seen how it ended. */
  async vanished(job: ContainerJob): Promise<void> {
    await this.#closing(job, async () => vanishedEnd(job));
  }

  /** The record has its end: once it is on the disk, nothing else is needed of the job. */
  filed(job: ContainerJob): void {
    job.ended();
    this.#options.active.remove(job);
    const { name } = job;
    const removed = this.#onDisk(job.root)
      .then(() => this.#removals.run(() => this.#remove(job)))
      .catch((error: unknown) => {
        this.#options.log.warn('a service stays', { service: name, reason: messageOf(error) });
      });
    this.#removing.set(name, removed);
    void removed.then(() => {
      if (this.#removing.get(name) === removed) this.#removing.delete(name);
    });
  }

  async #closing(job: ContainerJob, end: () => Promise<ContainerEnd>): Promise<void> {
    if (job.state.kind === 'ended') return;
    job.inFlight.close ??= end()
      .then((known) => this.#finish(job, known))
      .finally(() => {
        job.inFlight.close = undefined;
      });
    await job.inFlight.close;
  }

  #finish(job: ContainerJob, end: ContainerEnd): void {
    const record = this.#options.database.edit(job.root);
    if (record) recordContainerEnd(record, end);
    const { database, log, progressOf } = this.#options;
    logEnded(log, job.root, database.tree(job.root), progressOf);
    this.filed(job);
  }

  /** What pman has ended is removed by nobody else. */
  async #settled(job: ContainerJob, look: Look): Promise<Look | undefined> {
    if (job.endCause !== undefined) return look;
    return settledLook(look, async () => {
      const engine = await this.#options.engine();
      const looks = await engine.look([job.work], { haveChanged: true });
      return looks.get(job.name);
    });
  }

  /** @throws PmanError unavailable when the engine is away: then it is tried again */
  async #lastWords(job: ContainerJob, look: Look): Promise<Outputs> {
    if (look.workers.length === 0) return NOTHING;
    const engine = await this.#options.engine();
    try {
      const { maxOutputBytes = Number.POSITIVE_INFINITY } = job.facts.limits;
      const limitBytes = Math.min(this.#options.logLimitBytes, maxOutputBytes);
      const read = readOutputs(engine, look.workers, limitBytes);
      return await withinMs(
        this.#options.lastWordsMs,
        read,
        () => new PmanError('internal', 'no answer'),
      );
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      if (error.code === 'unavailable' && !this.#isGivenUp(job)) throw error;
      const reason = messageOf(error);
      this.#options.log.warn('the output of a job cannot be read', { job: job.root, reason });
      return { logs: unreadMark(reason), outputs: [] };
    }
  }

  /**
   * Why a job that may write so much only did not do well: it may have ended before anybody saw that it wrote more. Undefined
   * for another one, and where its output cannot be read.
   */
  async #overrun(job: ContainerJob, { workers }: Look): Promise<string | undefined> {
    const { maxOutputBytes } = job.facts.limits;
    if (maxOutputBytes === undefined) return undefined;
    const limit = AbortSignal.timeout(this.#options.lastWordsMs);
    try {
      const engine = await this.#options.engine();
      for (const worker of workers) {
        const found = await writesBeyond(engine, worker, maxOutputBytes, limit);
        if (found === 'more') return outputCause(maxOutputBytes);
      }
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      const reason = messageOf(error);
      this.#options.log.warn('the output of a job cannot be measured', { job: job.root, reason });
    }
    return undefined;
  }

  /** Whether the output has been asked for in vain for long. */
  #isGivenUp(job: ContainerJob): boolean {
    const now = performance.now();
    const since = this.#unheardSince.get(job) ?? now;
    this.#unheardSince.set(job, since);
    return now - since > GIVEN_UP_MS;
  }

  async #remove(job: ContainerJob): Promise<void> {
    const { state, root, name } = job;
    const left = state.kind === 'ended' ? state.left : 'nothing';
    for (let pauseMs = 250; left !== 'nothing'; pauseMs = Math.min(2 * pauseMs, 10_000)) {
      if (this.#options.isClosed()) return; // the next server does
      try {
        const engine = await this.#options.engine();
        await engine.remove({ name, handle: left === 'unknown' ? undefined : left.handle }, root);
        break;
      } catch (error) {
        if (!(error instanceof PmanError) || error.code !== 'unavailable') throw error;
        await sleep(pauseMs, undefined, { ref: false });
      }
    }
    this.#options.store.remove(root);
  }

  /** Resolves when the record is on the disk, or there is none any more. */
  async #onDisk(root: string): Promise<void> {
    let isFiled = false;
    const { database } = this.#options;
    const filed = new Promise<void>((resolve) => database.release(root, 0, resolve));
    void filed.then(() => {
      isFiled = true;
    });
    while (!isFiled && database.has(root)) {
      await Promise.race([filed, sleep(REMOVED_MS, undefined, { ref: false })]);
    }
  }
}

const NOTHING: Outputs = { logs: '', outputs: [] };

function vanishedEnd(job: ContainerJob): ContainerEnd {
  return {
    status: 'finishedWithError',
    shown: job.seen?.shown,
    workers: [],
    // Also of one that was seen to wait: it may have started since.
    ...{ logs: unreadMark(CAUSES.removed), outputs: [] },
    cause: job.endCause ?? causeOf('removed', 'the service'),
    endedAt: preciseNow(),
  };
}

/** When the last worker ended; now, where the engine does not say, and where its clock is ahead. */
function endOf({ workers }: Look): number {
  const now = preciseNow();
  const ends = workers.flatMap(({ endedAt }) => endedAt ?? []);
  return ends.length > 0 ? Math.min(Math.max(...ends), now) : now;
}

/** Engines know ends to the second, and have clocks of their own. */
const SLACK_MS = 1000;

/** Whether it ended when its time was over, as far as the engine knows when. */
function isCutOff({ endCause = '', endOrderedAt }: ContainerJob, { workers }: Look): boolean {
  if (!endCause.startsWith(CAUSES.timeLimit) || endOrderedAt === undefined) return false;
  const ends = workers.flatMap(({ endedAt }) => endedAt ?? []);
  return Math.max(...ends) + SLACK_MS > endOrderedAt;
}

const shownOf = (look: Look) => look.workers.map(({ shown }) => shown);
