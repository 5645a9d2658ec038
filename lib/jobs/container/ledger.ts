import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from '../../concurrency/queue.ts';
import { messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import { hostFacts } from '../../host/facts.ts';
import { makeFolder } from '../../host/folders.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import { recordContainerEnd, recordScheduled } from './containerRecord.ts';
import type { ContainerEngine, ContainerState, ManagerImage } from './engine.ts';
import { JOB_LABEL } from './start.ts';
import { ContainerSpool, type SpooledJob, type Stage } from './store.ts';

export interface ContainerJobsOptions {
  readonly database: JobDatabase;
  /** The folder of ours beside the database. */
  readonly workFolder: string;
  readonly fsync: boolean;
  readonly log: Logger;
  /** `builtin`: no manager container is ever run. */
  readonly manager: 'auto' | 'builtin';
  /** The folder of the engine's host that stands for the parent of every shareDir. */
  readonly storeBase: string | undefined;
  /** How much of the output of each task a record holds, in bytes. */
  readonly logLimitBytes: number;
  /** Loads the client of the engine; sends nothing. */
  readonly openEngine: (instanceLabel: string) => Promise<ContainerEngine>;
}

/** A container job that has not ended. */
export interface Active {
  readonly root: string;
  readonly spooled: SpooledJob;
  stage: Stage;
  /** In milliseconds since 1970. */
  scheduledAt: number | undefined;
  manager: ManagerImage | undefined;
  state: ContainerState | undefined;
  looking: Promise<void> | undefined;
  killed: string | undefined;
  /** It is not to be started any more. */
  readonly cancelled: AbortController;
  /** Somebody sees to it that a killed job ends. */
  isKilling: boolean;
  isEnding: boolean;
  /** The folder that has to appear before it is scheduled. */
  awaiting: string | undefined;
}

/** How many services are removed at once. */
const REMOVALS_AT_ONCE = 3;
/** How often it is looked whether a record that was to be filed has been removed instead, in milliseconds. */
const REMOVED_MS = 500;

/** The container jobs that have not ended: in memory, on the disk beside the database, and on their way out. */
export class ContainerLedger {
  readonly spool: ContainerSpool;
  readonly instance: string;
  readonly host = hostFacts();
  readonly active = new Map<string, Active>();
  /** Services of jobs that have ended, while they are being removed. */
  readonly removing = new Map<string, Promise<void>>();
  /** Called when the last job has ended. */
  onIdle: () => void = () => undefined;
  readonly #options: ContainerJobsOptions;
  readonly #removals = new Queue(REMOVALS_AT_ONCE);
  readonly #ended = new Map<string, Array<() => void>>();
  #engine: Promise<ContainerEngine> | undefined;
  #closed = false;

  constructor(options: ContainerJobsOptions) {
    this.#options = options;
    const { workFolder, fsync, log } = options;
    this.spool = new ContainerSpool(join(workFolder, 'containers'), fsync, log);
    this.instance = instanceOf(workFolder);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  /** The engine; its client is loaded when it is first asked for. */
  opened(): Promise<ContainerEngine> {
    this.#engine ??= this.#options.openEngine(this.label).catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }

  /** The label of this server's manager containers. */
  get label(): string {
    return `org.fnndsc.pman.instance.${this.instance}`;
  }

  /** A job has been accepted, now or by an earlier server. */
  activate(root: string, spooled: SpooledJob): Active {
    const { stage, scheduledAt, manager, killed } = spooled;
    const active: Active = {
      ...{ root, spooled, stage, scheduledAt, manager, killed },
      state: undefined,
      looking: undefined,
      cancelled: new AbortController(),
      isKilling: false,
      isEnding: false,
      awaiting: undefined,
    };
    if (killed !== undefined) active.cancelled.abort();
    this.active.set(root, active);
    return active;
  }

  /** The job has come further, and that is on the disk. */
  to(active: Active, stage: Stage): void {
    active.stage = stage;
    if (stage === 'scheduled') active.scheduledAt = preciseNow();
    this.write(active);
  }

  write(active: Active): void {
    const { root, spooled, stage, scheduledAt, manager, killed } = active;
    const { manager: _, ...rest } = spooled;
    try {
      this.spool.write(root, {
        ...rest,
        ...(manager === undefined ? {} : { manager }),
        stage,
        ...(scheduledAt === undefined ? {} : { scheduledAt }),
        ...(killed === undefined ? {} : { killed }),
      });
    } catch (error) {
      this.#options.log.error('a container job cannot be stored', { error: messageOf(error) });
    }
  }

  /** Resolves when the job ends; at once when it is none of ours. */
  async untilEnded(root: string): Promise<void> {
    if (!this.active.has(root)) return;
    await new Promise<void>((resolve) => {
      this.#ended.set(root, [...(this.#ended.get(root) ?? []), resolve]);
    });
  }

  /** Nothing of it has run, and nothing will. */
  notStarted(active: Active, failure: string): void {
    const record = this.#options.database.edit(active.root);
    const now = preciseNow();
    if (record) {
      recordScheduled(record, active.spooled.job, {
        printed: '',
        startedAt: now,
        endedAt: now,
        host: this.host,
        failure,
      });
    }
    this.finish(active, { status: 'finishedWithError', tasks: [], logs: '', cause: failure });
  }

  finish(active: Active, end: Parameters<typeof recordContainerEnd>[1]): void {
    active.isEnding = true;
    const record = this.#options.database.edit(active.root);
    if (record) recordContainerEnd(record, end);
    this.filed(active);
  }

  /** The record has its end: once it is on the disk, nothing else is needed of the job. */
  filed(active: Active): void {
    const { root, spooled } = active;
    const { service } = spooled.request;
    active.isEnding = true;
    this.active.delete(root);
    if (this.active.size === 0) this.onIdle();
    const removed = this.#onDisk(root)
      .then(() => this.#removals.run(() => this.#removeService(active)))
      .catch((error: unknown) => {
        const reason = messageOf(error);
        this.#options.log.warn('a service stays', { service, reason });
      });
    this.removing.set(service, removed);
    void removed.then(() => {
      if (this.removing.get(service) === removed) this.removing.delete(service);
    });
    for (const resolve of this.#ended.get(root) ?? []) resolve();
    this.#ended.delete(root);
  }

  async #removeService({ root, spooled, stage, manager }: Active): Promise<void> {
    const { service } = spooled.request;
    for (let pauseMs = 250; stage !== 'accepted'; pauseMs = Math.min(2 * pauseMs, 10_000)) {
      if (this.#closed) return; // the next server does
      try {
        const engine = await this.opened();
        const owner = (await engine.facts(service))?.labels[JOB_LABEL];
        // What carries no label is ours when we have made it: the original's manager image sets none.
        const isOurs = owner === root || (owner === undefined && stage === 'scheduled');
        if (isOurs) await engine.manager(manager).remove(service);
        break;
      } catch (error) {
        if (!(error instanceof PmanError) || error.code !== 'unavailable') throw error;
        await sleep(pauseMs, undefined, { ref: false });
      }
    }
    this.spool.remove(root);
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

/** A name of this server that outlives it: it is in the labels of all that it makes. */
function instanceOf(workFolder: string): string {
  const file = join(workFolder, 'instance');
  if (!existsSync(file)) {
    makeFolder(workFolder);
    writeFileSync(file, randomUUID());
  }
  return readFileSync(file, 'utf8').trim();
}
