import { isUtf8 } from 'node:buffer';
import { BadRequestError, messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import type { JobDatabase } from '../../records/database.ts';
import { keyTaken } from '../../records/index/idempotency.ts';
import { newJobRoot } from '../../records/jobRoot.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JsonObject } from '../../wire/json.ts';
import { traceVariables } from '../../wire/traceContext.ts';
import type { JobRequest } from '../backend.ts';
import { type ContainerLimits, containerLimits, inputOf } from '../runLimits.ts';
import type { Summarize } from '../summary.ts';
import { type ContainerRecordJob, newContainerRecord } from './containerRecord.ts';
import type { Engine, ShareRule, WorkRequest } from './engine.ts';
import type { ContainerJobState } from './job.ts';
import { type ContainerPlan, planContainer } from './plan.ts';
import { freeName, nameTaken } from './start.ts';
import type { StoredJob } from './store.ts';

/** A request with its container, whose form is the back-end's to check. */
export interface ContainerJobRequest extends JobRequest {
  readonly container: JsonObject;
}

export interface IntakeOptions {
  readonly database: JobDatabase;
  readonly summaryOf: Summarize;
  readonly engine: () => Promise<Engine>;
  /** A name of this server that outlives it. */
  readonly instance: string;
  readonly shareRule: ShareRule;
  /** Whether the engine is known to be there. */
  readonly isEngineHeard: () => boolean;
  /** The active job that has a name. */
  readonly named: (name: string) => { readonly root: string } | undefined;
  /** Resolves when nothing of a job that has ended keeps this name. */
  readonly nameIsFree: (name: string) => Promise<void>;
  /** The members of a job that the engine takes, as `/api/v2` calls them. */
  readonly takes: readonly string[];
  /** Puts an accepted job on the disk, and what it is to read; throws when the disk does not take it. */
  readonly accept: (root: string, stored: StoredJob, input: Buffer | undefined) => void;
}

/**
 * How long it is believed that no other name is taken, in milliseconds, while the engine is heard: one that starts many
 * containers answers slowly. A name that was taken meanwhile shows when the job is started.
 */
const NAMES_MS = 5000;

/** No job has this root. */
const NO_ROOT_YET = '';

/** A job that was taken in, now or by an earlier request with the same key. */
export interface TakenIn {
  readonly root: string;
  readonly isNew: boolean;
}

/** A request that was read. */
interface Wanted {
  readonly job: ContainerJobRequest;
  readonly plan: ContainerPlan;
  readonly limits: ContainerLimits;
  readonly input: Buffer | undefined;
}

/** Takes container jobs in: checks what is asked for, asks the engine about it, and puts the job on the disk. */
export class ContainerIntake {
  readonly #options: IntakeOptions;
  /** Names that are being looked at by a request, before its job is accepted. */
  readonly #reserved = new Set<string>();
  /** Requests with a key, while the engine is asked. */
  readonly #pending = new Map<
    string,
    { readonly digest: string | undefined; readonly taken: Promise<TakenIn> }
  >();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Accepts a container job. When it resolves, the job is on the disk and is to be started.
   * @throws PmanError bad_request for a request that cannot be meant, conflict when another live job has the name or another
   * job the key, unavailable when there is no engine, storage when the disk does not take it
   */
  async submit(job: ContainerJobRequest): Promise<TakenIn> {
    const { database, summaryOf, shareRule } = this.#options;
    const limits = containerLimits(job.limits, this.#options.takes);
    const input = inputOf(job);
    const plan = planContainer(job, shareRule);
    if (job.limits.files !== undefined) requireShare(plan);
    const wanted: Wanted = { job, plan, limits, input };
    const record = newContainerRecord(recordJobOf(job, plan)); // it may refuse a name
    const known = database.sameJob(record);
    if (known !== undefined) return { root: known, isNew: false };
    const { key, digest } = summaryOf(record);
    if (key === undefined) return this.#take(wanted, record);
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      if (pending.digest !== digest) throw keyTaken(key, 'one that is being accepted');
      return { root: (await pending.taken).root, isNew: false };
    }
    const taken = this.#take(wanted, record);
    this.#pending.set(key, { digest, taken });
    try {
      return await taken;
    } finally {
      this.#pending.delete(key);
    }
  }

  async #take(wanted: Wanted, record: TreeNode): Promise<TakenIn> {
    const { name } = wanted.plan;
    const owner = this.#options.named(name);
    if (owner !== undefined || this.#reserved.has(name)) throw nameTaken(name, owner?.root);
    this.#reserved.add(name);
    try {
      await this.#check(this.#requestOf(NO_ROOT_YET, wanted));
      const known = this.#options.database.sameJob(record); // a job of the host may have taken the key
      if (known !== undefined) return { root: known, isNew: false };
      // Only now: jobs are listed in the order of their roots, and that is the order in which they are accepted.
      const { database } = this.#options;
      const root = newJobRoot(preciseNow(), (beginning) => database.hasBeginning(beginning));
      this.#accept(root, wanted, this.#requestOf(root, wanted));
      return { root, isNew: true };
    } finally {
      this.#reserved.delete(name);
    }
  }

  #requestOf(
    root: string,
    { job: { auid, jid, trace }, plan, limits: { timeoutMs, cwd }, input }: Wanted,
  ): WorkRequest {
    const { name, image, cmd, shareDir, options: planned, manager } = plan;
    // What the client names itself wins.
    const env = trace && { env: { ...traceVariables(trace), ...planned.env } };
    const options = { ...planned, ...env, ...(cwd === undefined ? {} : { cwd }) };
    return {
      ...{ name, image, cmd, options },
      owner: { job: root, instance: this.#options.instance, jid, auid },
      ...(shareDir === undefined ? {} : { shareDir }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(input === undefined ? {} : { input: { bytes: input.length, isText: isUtf8(input) } }),
      ...(manager === undefined ? {} : { manager }),
    };
  }

  /** Has the engine look at the request, and frees its name where it is taken by something that has ended. */
  async #check(request: WorkRequest): Promise<void> {
    const engine = await this.#options.engine();
    const namesKnownForMs = this.#options.isEngineHeard() ? NAMES_MS : 0;
    const { nameIsTaken } = await engine.check(request, { namesKnownForMs });
    if (!nameIsTaken) return;
    await this.#options.nameIsFree(request.name);
    await freeName(engine, request);
  }

  #accept(root: string, { job, plan, limits, input }: Wanted, request: WorkRequest): void {
    const { database } = this.#options;
    if (database.problem !== undefined) {
      throw new PmanError('storage', `the job was not accepted: ${database.problem}`, {
        hint: 'send it again when the disk has room',
      });
    }
    const { awaitedFolder: folder } = plan;
    const state: ContainerJobState =
      folder === undefined ? { kind: 'accepted' } : { kind: 'awaitingFolder', folder };
    const recorded = recordJobOf(job, plan);
    try {
      this.#options.accept(root, { job: recorded, request, limits, state }, input);
    } catch (error) {
      database.refused(error);
      throw new PmanError('storage', `the job cannot be stored: ${messageOf(error)}`, {
        hint: 'it was not accepted; send it again when the disk has room',
        cause: error,
      });
    }
  }
}

/** @throws BadRequestError when no folder is shared: what is written elsewhere is gone with its container */
function requireShare({ awaitedFolder, shareDir }: ContainerPlan): void {
  if (shareDir !== undefined && awaitedFolder === shareDir) return;
  throw new BadRequestError('run: "meta.files": a container job without a shared folder has none', {
    hint: 'name a folder (shareDir), and let the command write below /share',
  });
}

function recordJobOf(
  { cmd, auid, jid, trace }: ContainerJobRequest,
  plan: ContainerPlan,
): ContainerRecordJob {
  const { meta, container } = plan;
  return { meta, container, cmdMgr: managerLine(plan), cmd, auid, jid, ...(trace && { trace }) };
}

/** The manager's command line as the record shows it, whoever does it (protocol g). */
function managerLine({ manager, name, shareDir, image, cmd }: ContainerPlan): string {
  const who = manager === undefined ? 'swarm' : `${manager.image} ${manager.app}`;
  const share = shareDir === undefined ? '' : ` -m ${shareDir}`;
  return `${who} -s ${name}${share} -i ${image} -p none -c "${cmd}"`;
}
