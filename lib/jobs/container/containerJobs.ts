import { existsSync } from 'node:fs';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { Queue } from '../../concurrency/queue.ts';
import { messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import type { TreeNode } from '../../tree/node.ts';
import { newContainerRecord, recordScheduled } from './containerRecord.ts';
import type { ContainerEngine, ContainerStatus } from './engine.ts';
import { followOutput } from './followOutput.ts';
import { ContainerIntake, type ContainerJob } from './intake.ts';
import { knownContainer } from './knownContainer.ts';
import { type Active, type ContainerJobsOptions, ContainerLedger } from './ledger.ts';
import { startService, waitForFolder } from './start.ts';
import { spooledFromRecord } from './store.ts';
import { ContainerTimeLimits } from './timeLimits.ts';
import { ContainerWatch } from './watch.ts';

/** What a status request is told of a container job. */
export interface ContainerReport {
  readonly status: ContainerStatus;
  readonly logs: string;
  /** Why this may not be the newest. */
  readonly note?: string;
}

/** How many services are made at once. */
const STARTS_AT_ONCE = 3;
/** How long a status request waits for the engine, in milliseconds. */
const STATUS_MS = 10_000;

/** The jobs that run in containers: takes them in, has them scheduled, follows them, and writes down how they end. */
export class ContainerJobs {
  readonly #options: ContainerJobsOptions;
  readonly #ledger: ContainerLedger;
  readonly #watch: ContainerWatch;
  readonly #intake: ContainerIntake;
  readonly #starts = new Queue(STARTS_AT_ONCE);
  readonly #timeLimits: ContainerTimeLimits;
  /** Undefined when there may be something to clean up, and nobody is at it. */
  #cleaned: Promise<void> | undefined = Promise.resolve();

  constructor(options: ContainerJobsOptions) {
    this.#options = options;
    this.#ledger = new ContainerLedger(options);
    this.#watch = new ContainerWatch(options, this.#ledger);
    this.#intake = new ContainerIntake(options, this.#ledger, () => this.#watch.isHeard);
    this.#timeLimits = new ContainerTimeLimits({
      ledger: this.#ledger,
      kill: (root, request) => this.kill(root, request),
      log: options.log,
    });
  }

  /** Accepts a container job and has it scheduled; gives the name of its job root (see ContainerIntake.submit). */
  async submit(job: ContainerJob): Promise<string> {
    const { root, accepted } = await this.#intake.submit(job);
    if (accepted !== undefined) void this.#begin(accepted);
    return root;
  }

  /** Resolves when the job has ended; at once when it has, or is none of ours. */
  ended(root: string): Promise<void> {
    return this.#watch.ended(root);
  }

  isActive(root: string): boolean {
    return this.#ledger.active.has(root);
  }

  /** How a container job stands: asks the engine unless the record has its end. */
  async report(root: string, record: TreeNode): Promise<ContainerReport> {
    const active = this.#ledger.active.get(root);
    const known = knownContainer(record);
    if (active === undefined || known.isFinal) return known;
    if (active.awaiting !== undefined && !existsSync(active.awaiting)) {
      return { ...known, note: `it waits for the folder ${active.awaiting}, which is not there` };
    }
    if (active.stage !== 'scheduled') return known;
    try {
      await withinMs(STATUS_MS, this.#watch.look(active));
      const now = knownContainer(record);
      if (now.isFinal || active.state === undefined) return now;
      const engine = await this.#ledger.opened();
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

  /** What a job has written and writes, as it comes, until it has ended (see followOutput). */
  follow(root: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { database } = this.#options;
    return followOutput(
      {
        engine: () => this.#ledger.opened(),
        active: () => this.#ledger.active.get(root),
        ended: this.#ledger.untilEnded(root),
        recorded: () => {
          const record = database.tree(root);
          return record === undefined ? '' : knownContainer(record).logs;
        },
      },
      signal,
    );
  }

  /** Ends a job; says whether there was anything to end. Its record stays and says who ended it. */
  async kill(root: string, { signal, graceMs, cause }: KillRequest): Promise<boolean> {
    const active = this.#ledger.active.get(root);
    if (active === undefined || active.isEnding) return false;
    if (active.stage === 'accepted') {
      active.killed = cause;
      this.#ledger.notStarted(active, `${cause} before it started`);
      return true;
    }
    // Before anything dies of it: the end may be learned while the signals are still being sent.
    const { killed, isKilling } = active;
    active.killed = cause;
    active.isKilling = true;
    let isReached = false;
    try {
      const engine = await this.#ledger.opened();
      const { service } = active.spooled.request;
      isReached = active.stage === 'scheduled' && (await engine.signal(service, signal));
    } catch (error) {
      active.killed = killed;
      throw error;
    } finally {
      active.isKilling = isKilling;
    }
    if (!this.#ledger.active.has(root)) return true;
    this.#ledger.write(active);
    active.cancelled.abort();
    if (active.stage !== 'scheduled') return true;
    if (!isReached) await this.#watch.endByRemoval(active);
    else void this.#watch.killAfter(active, graceMs);
    return true;
  }

  /** Goes on with the jobs that an earlier server has left. Does not wait for the engine. */
  recover(): void {
    const { database } = this.#options;
    const jobs = this.#ledger.spool.read();
    if (jobs.size > 0) this.#cleaned = undefined;
    for (const [root, spooled] of jobs) {
      if (!database.has(root)) database.add(root, newContainerRecord(spooled.job));
      database.hold(root);
      const active = this.#ledger.activate(root, spooled);
      const record = database.tree(root);
      if (spooled.stage === 'scheduled' && record?.cat(['endInfo']) === undefined) {
        this.#recordScheduled(active, '', preciseNow());
      }
      if (record !== undefined && knownContainer(record).isFinal) this.#ledger.filed(active);
      else if (spooled.stage === 'scheduled') {
        this.#watch.start();
        this.#timeLimits.watch(active);
      } else void this.#begin(active);
    }
    this.#takenUp(jobs.size + this.#adopt());
  }

  /** Goes on with jobs of records that were not known when `recover` looked for them. */
  recoverMore(): void {
    this.#takenUp(this.#adopt());
  }

  #takenUp(count: number): void {
    const { log } = this.#options;
    if (count === 0) return;
    log.info('container jobs are taken up again', { jobs: count });
    this.#cleanEngine().catch((error: unknown) => {
      log.debug('no clean-up yet', { reason: messageOf(error) });
    });
  }

  close(): void {
    this.#ledger.close();
    this.#watch.close();
    this.#timeLimits.close();
  }

  /** From accepted to scheduled. */
  async #begin(active: Active): Promise<void> {
    const { root, spooled } = active;
    const isOver = () => this.#ledger.isClosed || active.isEnding;
    active.awaiting = spooled.awaitedFolder;
    const isThere = await waitForFolder(spooled.awaitedFolder, isOver);
    active.awaiting = undefined;
    if (!isThere && !isOver()) {
      const folder = spooled.awaitedFolder;
      this.#options.log.warn('a shared folder has not appeared; the job is run without', {
        folder,
        job: root,
      });
    }
    const mayExist = active.stage === 'scheduling';
    const startedAt = preciseNow();
    try {
      const started = await this.#starts.run(async () => {
        if (isOver()) return undefined;
        this.#ledger.to(active, 'scheduling');
        return startService({
          ...{ root, mayExist, isOver, request: spooled.request, manager: active.manager },
          cancelled: active.cancelled.signal,
          engine: () => this.#cleanEngine(),
          log: this.#options.log,
        });
      });
      if (isOver()) return;
      if (started === undefined) {
        this.#ledger.notStarted(active, `${active.killed ?? 'ended'} before it started`);
        return;
      }
      active.manager = started.manager;
      this.#recordScheduled(active, started.printed, startedAt);
      this.#ledger.to(active, 'scheduled');
      this.#timeLimits.watch(active);
    } catch (error) {
      if (!(error instanceof PmanError)) {
        this.#options.log.error('a container job failed', { job: root, error: messageOf(error) });
      }
      if (!active.isEnding) this.#ledger.notStarted(active, messageOf(error));
      return;
    }
    this.#watch.start(); // which also sees to one that was killed meanwhile
  }

  /** Records that have not ended and of which we know nothing else: the original wrote them, or our spool was removed. */
  #adopt(): number {
    const { database, manager } = this.#options;
    let count = 0;
    for (const root of database.unfinished()) {
      const record = database.tree(root);
      if (record === undefined || this.#ledger.active.has(root)) continue;
      const spooled = spooledFromRecord(record, manager === 'auto');
      if (spooled === undefined) continue;
      database.hold(root);
      this.#ledger.activate(root, spooled);
      this.#watch.start();
      count += 1;
    }
    return count;
  }

  #recordScheduled({ root, spooled }: Active, printed: string, startedAt: number): void {
    const record = this.#options.database.edit(root);
    const times = { startedAt, endedAt: preciseNow(), host: this.#ledger.host };
    if (record) recordScheduled(record, spooled.job, { printed, ...times });
  }

  /** The engine, once the manager containers are gone that an earlier server or a lost connection has left. */
  async #cleanEngine(): Promise<ContainerEngine> {
    const engine = await this.#ledger.opened();
    this.#cleaned ??= engine.cleanUp(this.#ledger.label).catch((error: unknown) => {
      this.#cleaned = undefined;
      throw error;
    });
    await this.#cleaned;
    await engine.settle();
    return engine;
  }
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
