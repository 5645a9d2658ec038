import { preciseNow } from '../../crunner/processes.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonObject } from '../wire/json.ts';
import { type Active, type ContainerJobsOptions, ContainerLedger } from './containerLedger.ts';
import { type ContainerStatus, type ManagerImage, OWN_MANAGER_LABEL } from './containerManager.ts';
import { newContainerRecord, recordScheduled } from './containerRecord.ts';
import { type ContainerPlan, planContainer } from './containerRequest.ts';
import { type SpooledJob, spooledFromRecord } from './containerSpool.ts';
import { JOB_LABEL, makeRoom, nameTaken, startService, waitForFolder } from './containerStart.ts';
import { ContainerWatch } from './containerWatch.ts';
import { knownContainer } from './knownContainer.ts';
import { Queue } from './queue.ts';
import type { NewJob } from './record.ts';
import { newJobRoot } from './stamps.ts';

/** What a status request is told of a container job. */
export interface ContainerReport {
  readonly status: ContainerStatus;
  readonly logs: string;
  /** Why this may not be the newest. */
  readonly note?: string;
}

/** How many services are made at once. */
const STARTS_AT_ONCE = 3;
/**
 * How long it is believed that no other name is taken, in milliseconds, while the engine is heard: one that starts many
 * containers answers slowly. A name that was taken meanwhile shows when the service is made.
 */
const NAMES_MS = 5000;
/** How long a status request waits for the engine, in milliseconds. */
const STATUS_MS = 10_000;

/** The jobs that run in containers: takes them in, has them scheduled, follows them, and writes down how they end. */
export class ContainerJobs {
  readonly #options: ContainerJobsOptions;
  readonly #ledger: ContainerLedger;
  readonly #watch: ContainerWatch;
  /** Names that are being looked at by a request, before its job is accepted. */
  readonly #reserved = new Set<string>();
  readonly #starts = new Queue(STARTS_AT_ONCE);
  #names: { readonly taken: ReadonlySet<string>; readonly at: number } = {
    taken: new Set(),
    at: 0,
  };

  constructor(options: ContainerJobsOptions) {
    this.#options = options;
    this.#ledger = new ContainerLedger(options);
    this.#watch = new ContainerWatch(options, this.#ledger);
  }

  /**
   * Accepts a container job. When it resolves, the job is on the disk and will be scheduled. A job with the key of an earlier
   * one is that one, when it asks for the same.
   * @returns the name of its job root
   * @throws PmanError bad_request for a request that cannot be meant, conflict when another live job has the service's
   * name, unavailable when there is no engine, storage when the disk does not take it
   */
  async submit(job: NewJob & { readonly container: JsonObject }): Promise<string> {
    const plan = planContainer(job, this.#options.storeBase);
    const { service } = plan;
    const record = newContainerRecord(recordJobOf(job, plan)); // it may refuse a name
    const known = this.#options.database.sameJob(record);
    if (known !== undefined) return known;
    const owner = [...this.#ledger.active.values()].find(
      ({ spooled }) => spooled.request.service === service,
    );
    if (owner !== undefined || this.#reserved.has(service)) throw nameTaken(service, owner?.root);
    this.#reserved.add(service);
    try {
      const manager = await this.#managerFor(plan);
      await this.#makeRoom(service);
      return this.#accept(job, plan, manager, record);
    } finally {
      this.#reserved.delete(service);
    }
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
    if (active === undefined || known.isFinal || active.stage !== 'scheduled') return known;
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

  /** Ends a job; says whether there was anything to end. Its record stays and says who ended it. */
  async kill(
    root: string,
    { signal, graceMs, cause }: { signal: NodeJS.Signals; graceMs: number; cause: string },
  ): Promise<boolean> {
    const active = this.#ledger.active.get(root);
    if (active === undefined || active.isEnding) return false;
    if (active.stage === 'accepted') {
      active.killed = cause;
      this.#ledger.notStarted(active, `${cause} before it started`);
      return true;
    }
    const engine = await this.#ledger.opened();
    const { service } = active.spooled.request;
    const isReached = active.stage === 'scheduled' && (await engine.signal(service, signal));
    active.killed = cause;
    this.#ledger.write(active);
    if (active.stage !== 'scheduled') return true; // ended as soon as it is
    if (!isReached) await this.#watch.endByRemoval(active);
    else void this.#watch.killAfter(active, graceMs);
    return true;
  }

  /** Goes on with the jobs that an earlier server has left. Does not wait for the engine. */
  recover(): void {
    const { database, log } = this.#options;
    const jobs = this.#ledger.spool.read();
    for (const [root, spooled] of jobs) {
      if (!database.has(root)) database.add(root, newContainerRecord(spooled.job));
      database.hold(root);
      const active = this.#ledger.activate(root, spooled);
      const record = database.tree(root);
      if (spooled.stage === 'scheduled' && record?.cat(['endInfo']) === undefined) {
        this.#recordScheduled(active, '', preciseNow());
      }
      if (record !== undefined && knownContainer(record).isFinal) this.#ledger.filed(active);
      else if (spooled.stage === 'scheduled') this.#watch.start();
      else void this.#begin(active);
    }
    const adopted = this.#adopt();
    if (jobs.size + adopted === 0) return;
    log.info('container jobs are taken up again', { jobs: jobs.size + adopted });
    void this.#cleanUp();
  }

  close(): void {
    this.#ledger.close();
    this.#watch.close();
  }

  /** Which manager does it: that of the request when its image is there and can do what is asked. */
  async #managerFor({ manager, options }: ContainerPlan): Promise<ManagerImage | undefined> {
    if (manager === undefined || this.#options.manager === 'builtin') return undefined;
    const labels = await (await this.#ledger.opened()).managerLabels(manager.image);
    if (labels === undefined) return undefined;
    const { env, mounts, user, labels: more } = options;
    const isPlain = [env, mounts, user, more].every((option) => option === undefined);
    return isPlain || OWN_MANAGER_LABEL in labels ? manager : undefined;
  }

  async #makeRoom(service: string): Promise<void> {
    await this.#ledger.removing.get(service);
    const engine = await this.#ledger.opened();
    const isKnown = this.#watch.isListening && Date.now() - this.#names.at < NAMES_MS;
    if (!isKnown) this.#names = { taken: await engine.names(), at: Date.now() };
    if (this.#names.taken.has(service)) await makeRoom(engine, service, undefined);
  }

  #accept(
    job: NewJob,
    plan: ContainerPlan,
    manager: ManagerImage | undefined,
    record: TreeNode,
  ): string {
    const { problem } = this.#options.database;
    if (problem !== undefined) {
      throw new PmanError('storage', `the job was not accepted: ${problem}`, {
        hint: 'send it again when the disk has room',
      });
    }
    const root = newJobRoot(preciseNow());
    const { auid, jid, cmd } = job;
    const { service, image, shareDir, awaitedFolder, options } = plan;
    const labels = {
      [JOB_LABEL]: root,
      'org.fnndsc.pman.jid': jid,
      'org.fnndsc.pman.auid': auid,
      'org.fnndsc.pman.instance': this.#ledger.instance,
    };
    const share = shareDir === undefined ? {} : { shareDir };
    const spooled: SpooledJob = {
      job: recordJobOf(job, plan),
      request: { service, image, cmd, ...share, labels, options },
      ...(manager === undefined ? {} : { manager }),
      ...(awaitedFolder === undefined ? {} : { awaitedFolder }),
      stage: 'accepted',
    };
    try {
      this.#ledger.spool.write(root, spooled);
    } catch (error) {
      this.#ledger.spool.remove(root);
      throw new PmanError('storage', `the job cannot be stored: ${messageOf(error)}`, {
        hint: 'it was not accepted; send it again when the disk has room',
        cause: error,
      });
    }
    this.#options.database.add(root, record);
    void this.#begin(this.#ledger.activate(root, spooled));
    return root;
  }

  /** From accepted to scheduled. */
  async #begin(active: Active): Promise<void> {
    const { root, spooled } = active;
    const isOver = () => this.#ledger.isClosed || active.isEnding;
    await waitForFolder(spooled.awaitedFolder, isOver);
    const mayExist = active.stage === 'scheduling';
    const startedAt = preciseNow();
    try {
      const started = await this.#starts.run(async () => {
        if (isOver()) return undefined;
        this.#ledger.to(active, 'scheduling');
        return startService({
          ...{ root, mayExist, isOver, request: spooled.request, manager: active.manager },
          engine: () => this.#ledger.opened(),
          log: this.#options.log,
        });
      });
      if (started === undefined || isOver()) return;
      active.manager = started.manager;
      this.#recordScheduled(active, started.printed, startedAt);
      this.#ledger.to(active, 'scheduled');
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

  async #cleanUp(): Promise<void> {
    try {
      await (await this.#ledger.opened()).cleanUp(this.#ledger.label);
    } catch (error) {
      this.#options.log.debug('no clean-up', { reason: messageOf(error) });
    }
  }
}

function recordJobOf({ cmd, auid, jid }: NewJob, plan: ContainerPlan): SpooledJob['job'] {
  const { meta, container } = plan;
  return { meta, container, cmdMgr: managerLine(plan), cmd, auid, jid };
}

/** The manager's command line as the record shows it, whoever does it (protocol g). */
function managerLine({ manager, service, shareDir, image, cmd }: ContainerPlan): string {
  const who = manager === undefined ? 'swarm' : `${manager.image} ${manager.app}`;
  const share = shareDir === undefined ? '' : ` -m ${shareDir}`;
  return `${who} -s ${service}${share} -i ${image} -p none -c "${cmd}"`;
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
