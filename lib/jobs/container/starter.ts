import { Queue } from '../../concurrency/queue.ts';
import { messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import type { JsonObject } from '../../wire/json.ts';
import { causeOf, startCause } from '../causeWords.ts';
import { recordContainerStatus, recordScheduled, WRITE_RUNNING } from './containerRecord.ts';
import type { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import type { ContainerJob } from './job.ts';
import { isLink, startWork, waitForFolder } from './start.ts';

export interface StarterOptions {
  readonly database: JobDatabase;
  readonly endings: Endings;
  readonly engine: () => Promise<Engine>;
  /** What a job is to read, that was accepted. @throws PmanError when it is not there */
  readonly inputOf: (root: string) => Buffer;
  readonly host: JsonObject;
  readonly isClosed: () => boolean;
  /** A job has been started. */
  readonly onStarted: (job: ContainerJob) => void;
  readonly log: Logger;
}

/** How many are started at once. */
const STARTS_AT_ONCE = 8;

/** Brings container jobs from accepted to running. */
export class Starter {
  readonly #options: StarterOptions;
  readonly #starts = new Queue(STARTS_AT_ONCE);

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /** Starts a job when its folder is there and its turn has come. Never throws: what goes wrong ends the job. */
  async begin(job: ContainerJob): Promise<void> {
    const { endings, engine, inputOf, isClosed, onStarted, log } = this.#options;
    const isOver = () => isClosed() || job.isOver;
    await this.#awaitFolder(job, isOver);
    if (job.isOver) return;
    const mayExist = !job.isUnasked;
    const startedAt = preciseNow();
    try {
      const started = await this.#starts.run(async () => {
        if (isOver()) return undefined;
        job.starting();
        const { request } = job.facts;
        return startWork({
          ...{ engine, request, mayExist, isOver, isLeft: isClosed, cancelled: job.cancelled, log },
          input: () => (request.input === undefined ? undefined : inputOf(job.root)),
          onWait: (reason) => this.#waits(job, reason),
        });
      });
      if (isOver()) return;
      if (started === undefined) {
        endings.notStarted(job, `${job.endCause ?? 'ended'} before it started`);
        return;
      }
      this.recordStarted(job, started.printed, startedAt);
      job.madeWork({ handle: started.handle, since: preciseNow() });
    } catch (error) {
      if (!(error instanceof PmanError)) {
        log.error('a container job failed', { job: job.root, error: messageOf(error) });
      }
      if (!job.isOver) endings.notStarted(job, refusal(error));
      return;
    }
    onStarted(job);
  }

  /** @param printed what a manager has printed */
  recordStarted({ root, facts }: ContainerJob, printed: string, startedAt: number): void {
    // What a manager has said is in no other file.
    const how = printed === '' ? WRITE_RUNNING : {};
    const record = this.#options.database.edit(root, how);
    const { host } = this.#options;
    const times = { startedAt, endedAt: preciseNow(), host };
    if (record) recordScheduled(record, facts.recorded, { printed, ...times });
  }

  #waits({ root }: ContainerJob, reason: string): void {
    const record = this.#options.database.edit(root, WRITE_RUNNING);
    if (record) recordContainerStatus(record, 'notstarted', causeOf('waits', reason));
  }

  async #awaitFolder(job: ContainerJob, isOver: () => boolean): Promise<void> {
    if (job.state.kind !== 'awaitingFolder') return;
    const { folder } = job.state;
    const isThere = await waitForFolder(folder, isOver);
    job.folderAwaited();
    if (isOver()) return;
    const isByName = job.facts.request.shareDir !== folder; // below STOREBASE
    if (isByName && isLink(folder)) {
      const link = `the shared folder ${folder} is a symbolic link, which is not followed`;
      this.#options.endings.notStarted(job, causeOf('mount', link));
      return;
    }
    if (isThere) return;
    this.#options.log.warn('a shared folder has not appeared; the job is run without', {
      folder,
      job: job.root,
    });
  }
}

/** Why a job could not be started, in the words of all engines. */
function refusal(error: unknown): string {
  const said = messageOf(error);
  return error instanceof PmanError && error.code === 'conflict'
    ? causeOf('name', said)
    : startCause(said);
}
