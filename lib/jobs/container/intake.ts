import { messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import { newJobRoot } from '../../host/stamps.ts';
import { keyTaken } from '../../records/index/idempotency.ts';
import type { NewJob } from '../../records/record.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JsonObject } from '../../wire/json.ts';
import { summaryOf } from '../summary.ts';
import { newContainerRecord } from './containerRecord.ts';
import { type ManagerImage, OWN_MANAGER_LABEL } from './engine.ts';
import type { Active, ContainerJobsOptions, ContainerLedger } from './ledger.ts';
import { type ContainerPlan, cannotName, planContainer } from './plan.ts';
import { INSTANCE_LABEL, JOB_LABEL, makeRoom, nameTaken } from './start.ts';
import type { SpooledJob } from './store.ts';

export interface ContainerJob extends NewJob {
  readonly container: JsonObject;
  /** How long it may take once it is scheduled, in milliseconds. */
  readonly timeoutMs?: number;
}

/** A job that was taken in, now or (then without `accepted`) by an earlier request with the same key. */
export interface TakenIn {
  readonly root: string;
  readonly accepted?: Active;
}

/**
 * How long it is believed that no other name is taken, in milliseconds, while the engine is heard: one that starts many
 * containers answers slowly. A name that was taken meanwhile shows when the service is made.
 */
const NAMES_MS = 5000;

/** Takes container jobs in: checks what is asked for, asks the engine about the name, and puts the job on the disk. */
export class ContainerIntake {
  readonly #options: ContainerJobsOptions;
  readonly #ledger: ContainerLedger;
  readonly #isEngineHeard: () => boolean;
  /** Names that are being looked at by a request, before its job is accepted. */
  readonly #reserved = new Set<string>();
  /** Requests with a key, while the engine is asked. */
  readonly #pending = new Map<
    string,
    { readonly digest: string | undefined; readonly taken: Promise<TakenIn> }
  >();
  #names: { readonly taken: ReadonlySet<string>; readonly at: number } = {
    taken: new Set(),
    at: 0,
  };

  constructor(
    options: ContainerJobsOptions,
    ledger: ContainerLedger,
    isEngineHeard: () => boolean,
  ) {
    this.#options = options;
    this.#ledger = ledger;
    this.#isEngineHeard = isEngineHeard;
  }

  /**
   * Accepts a container job. When it resolves, the job is on the disk and is to be scheduled. A job with the key of an earlier
   * one is that one, when it asks for the same.
   * @throws PmanError bad_request for a request that cannot be meant, conflict when another live job has the service's
   * name or another job the key, unavailable when there is no engine, storage when the disk does not take it
   */
  async submit(job: ContainerJob): Promise<TakenIn> {
    const plan = planContainer(job, this.#options.storeBase);
    const record = newContainerRecord(recordJobOf(job, plan)); // it may refuse a name
    const known = this.#options.database.sameJob(record);
    if (known !== undefined) return { root: known };
    const { key, digest } = summaryOf(record);
    if (key === undefined) return this.#take(job, plan, record);
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      if (pending.digest !== digest) throw keyTaken(key, 'one that is being accepted');
      return { root: (await pending.taken).root };
    }
    const taken = this.#take(job, plan, record);
    this.#pending.set(key, { digest, taken });
    try {
      return await taken;
    } finally {
      this.#pending.delete(key);
    }
  }

  async #take(job: ContainerJob, plan: ContainerPlan, record: TreeNode): Promise<TakenIn> {
    const { service } = plan;
    const problem = (await this.#ledger.opened()).nameProblem(service);
    if (problem !== undefined) throw cannotName(service, problem);
    const owner = [...this.#ledger.active.values()].find(
      ({ spooled }) => spooled.request.service === service,
    );
    if (owner !== undefined || this.#reserved.has(service)) throw nameTaken(service, owner?.root);
    this.#reserved.add(service);
    try {
      const manager = await this.#managerFor(plan);
      await this.#makeRoom(service);
      const known = this.#options.database.sameJob(record); // a job of the host may have taken the key
      return known === undefined ? this.#accept(job, plan, manager, record) : { root: known };
    } finally {
      this.#reserved.delete(service);
    }
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
    const isKnown = this.#isEngineHeard() && Date.now() - this.#names.at < NAMES_MS;
    if (!isKnown) this.#names = { taken: await engine.names(), at: Date.now() };
    if (this.#names.taken.has(service)) {
      await makeRoom(engine, service, { root: undefined, instance: this.#ledger.instance });
    }
  }

  #accept(
    job: ContainerJob,
    plan: ContainerPlan,
    manager: ManagerImage | undefined,
    record: TreeNode,
  ): TakenIn {
    const { problem } = this.#options.database;
    if (problem !== undefined) {
      throw new PmanError('storage', `the job was not accepted: ${problem}`, {
        hint: 'send it again when the disk has room',
      });
    }
    const root = newJobRoot(preciseNow());
    const { auid, jid, cmd, timeoutMs } = job;
    const { service, image, shareDir, awaitedFolder, options } = plan;
    const labels = {
      [JOB_LABEL]: root,
      'org.fnndsc.pman.jid': jid,
      'org.fnndsc.pman.auid': auid,
      [INSTANCE_LABEL]: this.#ledger.instance,
    };
    const share = shareDir === undefined ? {} : { shareDir };
    const spooled: SpooledJob = {
      job: recordJobOf(job, plan),
      request: { service, image, cmd, ...share, labels, options },
      ...(manager === undefined ? {} : { manager }),
      ...(awaitedFolder === undefined ? {} : { awaitedFolder }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      stage: 'accepted',
    };
    try {
      this.#ledger.spool.write(root, spooled);
    } catch (error) {
      this.#ledger.spool.remove(root);
      this.#options.database.refused(error);
      throw new PmanError('storage', `the job cannot be stored: ${messageOf(error)}`, {
        hint: 'it was not accepted; send it again when the disk has room',
        cause: error,
      });
    }
    this.#options.database.add(root, record);
    return { root, accepted: this.#ledger.activate(root, spooled) };
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
