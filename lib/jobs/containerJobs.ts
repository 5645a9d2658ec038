import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from '../../crunner/processes.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonObject } from '../wire/json.ts';
import { ContainerFollower } from './containerFollower.ts';
import {
  type ContainerEngine,
  type ContainerState,
  type ContainerStatus,
  type ManagerImage,
  OWN_MANAGER_LABEL,
} from './containerManager.ts';
import {
  knownContainer,
  newContainerRecord,
  recordContainerEnd,
  recordContainerStatus,
  recordScheduled,
} from './containerRecord.ts';
import { type ContainerPlan, planContainer } from './containerRequest.ts';
import { ContainerSpool, type SpooledJob, type Stage } from './containerSpool.ts';
import { JOB_LABEL, makeRoom, nameTaken, startService, waitForFolder } from './containerStart.ts';
import type { JobDatabase } from './database.ts';
import { hostFacts } from './hostFacts.ts';
import { Queue } from './queue.ts';
import type { NewJob } from './record.ts';
import { newJobRoot } from './stamps.ts';

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

/** What a status request is told of a container job. */
export interface ContainerReport {
  readonly status: ContainerStatus;
  readonly logs: string;
  /** Why this may not be the newest. */
  readonly note?: string;
}

/** A container job that has not ended. */
interface Active {
  readonly root: string;
  readonly spooled: SpooledJob;
  stage: Stage;
  manager: ManagerImage | undefined;
  state: ContainerState | undefined;
  looking: Promise<void> | undefined;
  killed: string | undefined;
  /** Somebody sees to it that a killed job ends. */
  isKilling: boolean;
  isEnding: boolean;
}

/** How many services are made at once, and how many manager containers run. */
const STARTS_AT_ONCE = 6;
const LOOKS_AT_ONCE = 4;
/** How long a status request waits for the engine, in milliseconds. */
const STATUS_MS = 10_000;
/** How often a job is looked at that a client waits for, in milliseconds. */
const AWAITED_LOOK_MS = 2000;

/** The jobs that run in containers: takes them in, has them scheduled, follows them, and writes down how they end. */
export class ContainerJobs {
  readonly #options: ContainerJobsOptions;
  readonly #spool: ContainerSpool;
  readonly #instance: string;
  readonly #host = hostFacts();
  readonly #active = new Map<string, Active>();
  /** Names that are being looked at by a request, before its job is accepted. */
  readonly #reserved = new Set<string>();
  /** Services of jobs that have ended, while they are being removed. */
  readonly #removing = new Map<string, Promise<void>>();
  readonly #ended = new Map<string, Array<() => void>>();
  readonly #starts = new Queue(STARTS_AT_ONCE);
  readonly #looks = new Queue(LOOKS_AT_ONCE);
  readonly #follower: ContainerFollower;
  #engine: Promise<ContainerEngine> | undefined;
  #closed = false;

  constructor(options: ContainerJobsOptions) {
    this.#options = options;
    const { workFolder, fsync, log } = options;
    this.#spool = new ContainerSpool(join(workFolder, 'containers'), fsync, log);
    this.#instance = instanceOf(workFolder);
    this.#follower = new ContainerFollower({
      engine: () => this.#opened(),
      log,
      look: (services) => this.#lookAt(services),
    });
  }

  /**
   * Accepts a container job. When it returns, the job is on the disk and will be scheduled.
   * @returns the name of its job root
   * @throws PmanError bad_request for a request that cannot be meant, conflict when another live job has the service's
   * name, unavailable when there is no engine, storage when the disk does not take it
   */
  async submit(job: NewJob & { readonly container: JsonObject }): Promise<string> {
    const plan = planContainer(job, this.#options.storeBase);
    const { service } = plan;
    const owner = [...this.#active.values()].find(
      ({ spooled }) => spooled.request.service === service,
    );
    if (owner !== undefined || this.#reserved.has(service)) throw nameTaken(service, owner?.root);
    this.#reserved.add(service);
    try {
      const manager = await this.#managerFor(plan);
      await this.#makeRoom(service);
      return this.#accept(job, plan, manager);
    } finally {
      this.#reserved.delete(service);
    }
  }

  /** Resolves when the job has ended; at once when it has, or is none of ours. */
  async ended(root: string): Promise<void> {
    if (!this.#active.has(root)) return;
    let isOver = false;
    const over = new Promise<void>((resolve) => {
      this.#ended.set(root, [...(this.#ended.get(root) ?? []), resolve]);
    }).then(() => {
      isOver = true;
    });
    while (!isOver && !this.#closed) {
      await Promise.race([over, sleep(AWAITED_LOOK_MS)]);
      const active = this.#active.get(root);
      if (active !== undefined)
        await this.#look(active).catch(() => undefined); // asked again
      else return;
    }
  }

  isActive(root: string): boolean {
    return this.#active.has(root);
  }

  /** How a container job stands: asks the engine unless the record has its end. */
  async report(root: string, record: TreeNode): Promise<ContainerReport> {
    const active = this.#active.get(root);
    const known = knownContainer(record);
    if (active === undefined || known.isFinal || active.stage !== 'scheduled') return known;
    try {
      await withinMs(STATUS_MS, this.#look(active));
      const now = knownContainer(record);
      if (now.isFinal || active.state === undefined) return now;
      const engine = await this.#opened();
      const logs = await withinMs(
        STATUS_MS,
        engine.logs(active.state, this.#options.logLimitBytes),
      );
      return { ...now, logs };
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      this.#options.log.warn('a status is answered from what is known', { reason: error.message });
      return {
        ...knownContainer(record),
        note: `this is what was known last: ${error.message}`,
      };
    }
  }

  /** Ends a job; says whether there was anything to end. Its record stays and says who ended it. */
  async kill(
    root: string,
    { signal, graceMs, cause }: { signal: NodeJS.Signals; graceMs: number; cause: string },
  ): Promise<boolean> {
    const active = this.#active.get(root);
    if (active === undefined || active.isEnding) return false;
    if (active.stage === 'accepted') {
      active.killed = cause;
      this.#notStarted(active, `${cause} before it started`);
      return true;
    }
    const engine = await this.#opened();
    const { service } = active.spooled.request;
    const isReached = active.stage === 'scheduled' && (await engine.signal(service, signal));
    active.killed = cause;
    this.#write(active);
    if (active.stage !== 'scheduled') return true; // ended as soon as it is
    if (!isReached) await this.#endByRemoval(active);
    else void this.#killAfter(active, graceMs);
    return true;
  }

  /** Goes on with the jobs that an earlier server has left. Does not wait for the engine. */
  recover(): void {
    const { database, log } = this.#options;
    const jobs = this.#spool.read();
    for (const [root, spooled] of jobs) {
      if (!database.has(root)) database.add(root, newContainerRecord(spooled.job));
      database.hold(root);
      const active = this.#activate(root, spooled);
      const record = database.tree(root);
      if (record !== undefined && knownContainer(record).isFinal) this.#filed(active);
      else if (spooled.stage === 'scheduled') this.#follower.start();
      else void this.#begin(active);
    }
    if (jobs.size === 0) return;
    log.info('container jobs are taken up again', { jobs: jobs.size });
    void this.#cleanUp();
  }

  close(): void {
    this.#closed = true;
    this.#follower.close();
  }

  #opened(): Promise<ContainerEngine> {
    this.#engine ??= this.#options.openEngine(this.#label).catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }

  get #label(): string {
    return `org.fnndsc.pman.instance.${this.#instance}`;
  }

  /** Which manager does it: that of the request when its image is there and can do what is asked. */
  async #managerFor({ manager, options }: ContainerPlan): Promise<ManagerImage | undefined> {
    if (manager === undefined || this.#options.manager === 'builtin') return undefined;
    const labels = await (await this.#opened()).managerLabels(manager.image);
    if (labels === undefined) return undefined;
    const { env, mounts, user, labels: more } = options;
    const isPlain = [env, mounts, user, more].every((option) => option === undefined);
    return isPlain || OWN_MANAGER_LABEL in labels ? manager : undefined;
  }

  async #makeRoom(service: string): Promise<void> {
    await this.#removing.get(service);
    await makeRoom(await this.#opened(), service, undefined);
  }

  #accept(job: NewJob, plan: ContainerPlan, manager: ManagerImage | undefined): string {
    const root = newJobRoot(preciseNow());
    const { auid, jid, cmd } = job;
    const { meta, container, service, image, shareDir, awaitedFolder, options } = plan;
    const labels = {
      [JOB_LABEL]: root,
      'org.fnndsc.pman.jid': jid,
      'org.fnndsc.pman.auid': auid,
      'org.fnndsc.pman.instance': this.#instance,
    };
    const share = shareDir === undefined ? {} : { shareDir };
    const spooled: SpooledJob = {
      job: { meta, container, cmdMgr: managerLine(plan), cmd, auid, jid },
      request: { service, image, cmd, ...share, labels, options },
      ...(manager === undefined ? {} : { manager }),
      ...(awaitedFolder === undefined ? {} : { awaitedFolder }),
      stage: 'accepted',
    };
    const record = newContainerRecord(spooled.job); // first: it may refuse a name
    try {
      this.#spool.write(root, spooled);
    } catch (error) {
      this.#spool.remove(root);
      throw new PmanError('storage', `the job cannot be stored: ${messageOf(error)}`, {
        hint: 'it was not accepted; send it again when the disk has room',
        cause: error,
      });
    }
    this.#options.database.add(root, record);
    void this.#begin(this.#activate(root, spooled));
    return root;
  }

  #activate(root: string, spooled: SpooledJob): Active {
    const { stage, manager, killed } = spooled;
    const active: Active = {
      ...{ root, spooled, stage, manager, killed },
      state: undefined,
      looking: undefined,
      isKilling: false,
      isEnding: false,
    };
    this.#active.set(root, active);
    return active;
  }

  /** From accepted to scheduled. */
  async #begin(active: Active): Promise<void> {
    const { root, spooled } = active;
    const isOver = () => this.#closed || active.isEnding;
    await waitForFolder(spooled.awaitedFolder, isOver);
    const mayExist = active.stage === 'scheduling';
    const startedAt = preciseNow();
    try {
      const started = await this.#starts.run(async () => {
        if (isOver()) return undefined;
        this.#to(active, 'scheduling');
        return startService({
          ...{ root, mayExist, isOver, request: spooled.request, manager: active.manager },
          engine: () => this.#opened(),
          log: this.#options.log,
        });
      });
      if (started === undefined || isOver()) return;
      active.manager = started.manager;
      const record = this.#options.database.edit(root);
      if (record) {
        const { printed } = started;
        const times = { startedAt, endedAt: preciseNow(), host: this.#host };
        recordScheduled(record, spooled.job, { printed, ...times });
      }
      this.#to(active, 'scheduled');
    } catch (error) {
      if (!(error instanceof PmanError)) {
        this.#options.log.error('a container job failed', { job: root, error: messageOf(error) });
      }
      if (!active.isEnding) this.#notStarted(active, messageOf(error));
      return;
    }
    this.#follower.start(); // which also sees to one that was killed meanwhile
  }

  #to(active: Active, stage: Stage): void {
    active.stage = stage;
    this.#write(active);
  }

  #write(active: Active): void {
    const { root, spooled, stage, manager, killed } = active;
    const { manager: _, ...rest } = spooled;
    try {
      this.#spool.write(root, {
        ...rest,
        ...(manager === undefined ? {} : { manager }),
        stage,
        ...(killed === undefined ? {} : { killed }),
      });
    } catch (error) {
      this.#options.log.error('a container job cannot be stored', { error: messageOf(error) });
    }
  }

  /** The follower's look: one question for all; a manager container is asked only about what has ended. */
  async #lookAt(services: ReadonlySet<string> | 'all'): Promise<void> {
    const asked = [...this.#active.values()].filter(
      ({ stage, spooled, isEnding }) =>
        stage === 'scheduled' &&
        !isEnding &&
        (services === 'all' || services.has(spooled.request.service)),
    );
    if (asked.length === 0) return;
    const engine = await this.#opened();
    const states = await engine.states(
      new Set(asked.map(({ spooled }) => spooled.request.service)),
    );
    await Promise.all(
      asked.map(async (active) => {
        const state = states.get(active.spooled.request.service);
        if (active.manager === undefined && state !== undefined) await this.#apply(active, state);
        else if (state === undefined || state.isFinal) await this.#look(active);
        else await this.#apply(active, state);
      }),
    );
  }

  /** Looks at one job by its own manager; calls at the same time share a look. */
  #look(active: Active): Promise<void> {
    active.looking ??= this.#looks
      .run(async () => {
        if (active.stage !== 'scheduled' || active.isEnding) return;
        const engine = await this.#opened();
        const { service } = active.spooled.request;
        const state = await engine.manager(active.manager).state(service);
        if (state !== undefined) await this.#apply(active, state);
        else await this.#gone(active);
      })
      .finally(() => {
        active.looking = undefined;
      });
    return active.looking;
  }

  async #apply(active: Active, state: ContainerState): Promise<void> {
    if (active.isEnding || !this.#active.has(active.root)) return;
    active.state = state;
    if (!state.isFinal) {
      const record = this.#options.database.edit(active.root);
      if (record) recordContainerStatus(record, state.status, state.cause);
      // Asked for when it could not be done: pman was restarted, the engine away, the service not made yet.
      if (active.killed !== undefined) void this.#killAfter(active, 0);
      return;
    }
    active.isEnding = true;
    try {
      const engine = await this.#opened();
      const logs = await engine.logs(state, this.#options.logLimitBytes);
      const cause = active.killed ?? state.cause;
      this.#finish(active, { ...state, logs, ...(cause === undefined ? {} : { cause }) });
    } catch (error) {
      active.isEnding = false; // looked at again
      throw error;
    }
  }

  /** Its service is not there any more, and nobody has seen how it ended. */
  async #gone(active: Active): Promise<void> {
    const isKilled = active.killed !== undefined;
    const last = active.state;
    this.#finish(active, {
      status: isKilled ? 'finishedWithError' : 'undefined',
      logs: '',
      tasks: [],
      ...(last === undefined ? {} : { task: last.task }),
      cause: active.killed ?? 'the service was removed by somebody else',
    });
  }

  /** For what no signal reaches: it waits, or runs on another node. */
  async #endByRemoval(active: Active): Promise<void> {
    if (active.isEnding) return;
    const engine = await this.#opened();
    const { service } = active.spooled.request;
    const state = (await engine.states(new Set([service]))).get(service);
    if (state?.isFinal) return this.#apply(active, state);
    const logs = state === undefined ? '' : await engine.logs(state, this.#options.logLimitBytes);
    if (active.isEnding) return;
    this.#finish(active, {
      status: 'finishedWithError',
      logs,
      tasks: state?.tasks ?? [],
      ...(state === undefined ? {} : { task: state.task }),
      cause: active.killed ?? 'it was ended',
    });
  }

  async #killAfter(active: Active, graceMs: number): Promise<void> {
    if (active.isKilling) return;
    active.isKilling = true;
    const { log } = this.#options;
    try {
      for (const [signal, ms] of [
        ['SIGKILL', graceMs],
        [undefined, 10_000],
      ] as const) {
        await Promise.race([this.ended(active.root), sleep(ms, undefined, { ref: false })]);
        if (this.#closed || !this.#active.has(active.root)) return;
        if (signal === undefined) await this.#endByRemoval(active);
        else {
          const engine = await this.#opened();
          const isReached = await engine.signal(active.spooled.request.service, signal);
          if (!isReached) await this.#endByRemoval(active);
        }
      }
    } catch (error) {
      log.warn('a job could not be ended', { job: active.root, reason: messageOf(error) });
    } finally {
      active.isKilling = false;
    }
  }

  /** Nothing of it has run, and nothing will. */
  #notStarted(active: Active, failure: string): void {
    const record = this.#options.database.edit(active.root);
    const now = preciseNow();
    if (record) {
      recordScheduled(record, active.spooled.job, {
        printed: '',
        startedAt: now,
        endedAt: now,
        host: this.#host,
        failure,
      });
    }
    this.#finish(active, { status: 'finishedWithError', tasks: [], logs: '', cause: failure });
  }

  #finish(active: Active, end: Parameters<typeof recordContainerEnd>[1]): void {
    active.isEnding = true;
    const record = this.#options.database.edit(active.root);
    if (record) recordContainerEnd(record, end);
    this.#filed(active);
  }

  /** The record has its end: once it is on the disk, nothing else is needed of the job. */
  #filed(active: Active): void {
    const { root, spooled } = active;
    const { service } = spooled.request;
    active.isEnding = true;
    this.#active.delete(root);
    if (this.#active.size === 0) this.#follower.stop();
    const onDisk = new Promise<void>((resolve) => this.#options.database.release(root, 0, resolve));
    const removed = onDisk
      .then(() => this.#removeService(active))
      .catch((error: unknown) => {
        const reason = messageOf(error);
        this.#options.log.warn('a service stays', { service, reason });
      });
    this.#removing.set(service, removed);
    void removed.then(() => {
      if (this.#removing.get(service) === removed) this.#removing.delete(service);
    });
    for (const resolve of this.#ended.get(root) ?? []) resolve();
    this.#ended.delete(root);
  }

  async #removeService({ root, spooled, stage, manager }: Active): Promise<void> {
    const { service } = spooled.request;
    for (let pauseMs = 250; stage !== 'accepted'; pauseMs = Math.min(2 * pauseMs, 10_000)) {
      if (this.#closed) return; // the next server does
      try {
        const engine = await this.#opened();
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
    this.#spool.remove(root);
  }

  async #cleanUp(): Promise<void> {
    try {
      await (await this.#opened()).cleanUp(this.#label);
    } catch (error) {
      this.#options.log.debug('no clean-up', { reason: messageOf(error) });
    }
  }
}

/** The manager's command line as the record shows it, whoever does it (protocol g). */
function managerLine({ manager, service, shareDir, image, cmd }: ContainerPlan): string {
  const who = manager === undefined ? 'swarm' : `${manager.image} ${manager.app}`;
  const share = shareDir === undefined ? '' : ` -m ${shareDir}`;
  return `${who} -s ${service}${share} -i ${image} -p none -c "${cmd}"`;
}

/** A name of this server that outlives it: it is in the labels of all that it makes. */
function instanceOf(workFolder: string): string {
  const file = join(workFolder, 'instance');
  if (!existsSync(file)) {
    mkdirSync(workFolder, { recursive: true });
    writeFileSync(file, randomUUID());
  }
  return readFileSync(file, 'utf8').trim();
}

async function withinMs<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new PmanError('unavailable', `the container engine has not answered for ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
