import { join } from 'node:path';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { goodFor } from '../../concurrency/goodFor.ts';
import { BadRequestError } from '../../errors.ts';
import { hostFacts } from '../../host/facts.ts';
import type { TreeNode } from '../../tree/node.ts';
import type {
  BackendReadiness,
  JobBackend,
  JobCounts,
  JobReport,
  JobRequest,
  OutputAsked,
  WorkFolder,
} from '../backend.ts';
import { type Capabilities, engineCapabilities } from '../capabilities.ts';
import { behind, type OutputPiece, type PartOutputs } from '../outputPieces.ts';
import { ActiveJobs } from './activeJobs.ts';
import { ContainerRecovery } from './containerRecovery.ts';
import { endAllJobs } from './endAll.ts';
import { ContainerEnder } from './ender.ts';
import { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import { engineReadiness } from './engineReadiness.ts';
import { followOutput } from './followOutput.ts';
import { instanceOf } from './instance.ts';
import { ContainerIntake } from './intake.ts';
import { ContainerJobReports } from './jobReports.ts';
import type { ContainerJobsOptions } from './options.ts';
import { ContainerOutputLimits } from './outputLimits.ts';
import { progressReader } from './progressReader.ts';
import { outputOf, outputPlaces, RecordedJobs } from './recordedJobs.ts';
import { seesShares, sharedFolder } from './sharedFolder.ts';
import { Starter } from './starter.ts';
import { ContainerJobStore } from './store.ts';
import { StoredJobs } from './storedJobs.ts';
import { ContainerTimeLimits } from './timeLimits.ts';
import { ContainerWatch } from './watch.ts';

/** Reading the end of a large output takes a busy engine a while. */
const LAST_WORDS_MS = 120_000;
/** A look whether the engine is there is good for so long, in milliseconds: many may ask. */
const LOOK_MS = 1000;

/** The jobs that run in containers: takes them in, has them started, watches them, and writes down how they end. */
export class ContainerJobs implements JobBackend {
  readonly #options: ContainerJobsOptions;
  readonly #recorded: RecordedJobs;
  readonly #active: ActiveJobs;
  readonly #endings: Endings;
  readonly #watch: ContainerWatch;
  readonly #ender: ContainerEnder;
  readonly #intake: ContainerIntake;
  readonly #starter: Starter;
  readonly #timeLimits: ContainerTimeLimits;
  readonly #outputLimits: ContainerOutputLimits;
  readonly #capabilities: Capabilities;
  readonly #reports: ContainerJobReports;
  readonly #recovery: ContainerRecovery;
  readonly #instance: string;
  readonly #host = hostFacts();
  readonly #readiness = goodFor(LOOK_MS, () => engineReadiness(() => this.#opened()));
  #engine: Promise<Engine> | undefined;
  #closed = false;

  constructor(options: ContainerJobsOptions) {
    const { database, workFolder, fsync, log, summaryOf, shareRule, logLimitBytes } = options;
    this.#options = options;
    this.#capabilities = engineCapabilities(options.engineName, seesShares(shareRule));
    this.#instance = instanceOf(workFolder);
    this.#recorded = new RecordedJobs(options.readShown);
    const store = new ContainerJobStore(join(workFolder, 'containers'), fsync, log);
    this.#active = new ActiveJobs(() => this.#watch.stop());
    const shared = {
      database,
      log,
      active: this.#active,
      engine: () => this.#opened(),
      isClosed: () => this.#closed,
    };
    const stored = new StoredJobs({ database, store, active: this.#active, log });
    this.#endings = new Endings({
      ...{ ...shared, store, host: this.#host, logLimitBytes },
      ...{
        progressOf: progressReader(options.readShown),
        lastWordsMs: options.lastWordsMs ?? LAST_WORDS_MS,
      },
    });
    this.#watch = new ContainerWatch({
      ...shared,
      endings: this.#endings,
      onStillRunning: (job) => this.#ender.stillRunning(job),
    });
    this.#ender = new ContainerEnder({
      ...shared,
      endings: this.#endings,
      ended: (root) => this.#watch.ended(root),
    });
    this.#intake = new ContainerIntake({
      ...{ database, summaryOf, shareRule, instance: this.#instance },
      engine: shared.engine,
      isEngineHeard: () => this.#watch.isHeard,
      named: (name) => this.#active.named(name),
      nameIsFree: (name) => this.#endings.nameIsFree(name),
      takes: this.#capabilities.takes,
      accept: (root, job, input) => stored.accept(root, job, input),
    });
    this.#starter = new Starter({
      ...{ ...shared, endings: this.#endings, host: this.#host },
      inputOf: (root) => store.readInput(root),
      onStarted: (job) => {
        this.#timeLimits.watch(job);
        this.#outputLimits.watch(job);
        this.#watch.start(); // which also sees to one whose end was ordered meanwhile
      },
    });
    this.#timeLimits = new ContainerTimeLimits({
      ...shared,
      kill: (root, order) => this.kill(root, order),
    });
    this.#outputLimits = new ContainerOutputLimits({
      ...shared,
      kill: (root, order) => this.kill(root, order),
    });
    const known = { recorded: this.#recorded, watch: this.#watch };
    this.#reports = new ContainerJobReports({ ...shared, ...known, logLimitBytes });
    this.#recovery = new ContainerRecovery({
      ...{ ...shared, ...known, store, stored, starter: this.#starter },
      ...{ timeLimits: this.#timeLimits, outputLimits: this.#outputLimits },
      endings: this.#endings,
    });
  }

  get capabilities(): readonly Capabilities[] {
    return [this.#capabilities];
  }

  readiness(): Promise<BackendReadiness> {
    return this.#readiness();
  }

  async submit({ container, ...job }: JobRequest): Promise<string> {
    if (container === undefined)
      throw new Error('a job without a container was given to an engine');
    const { root, isNew } = await this.#intake.submit({ ...job, container });
    const accepted = isNew ? this.#active.get(root) : undefined;
    if (accepted !== undefined) void this.#starter.begin(accepted);
    return root;
  }

  async kill(root: string, order: KillRequest): Promise<boolean> {
    const job = this.#active.get(root);
    if (job === undefined || job.isOver) return false;
    if (job.isUnasked) this.#endings.notStarted(job, `${order.cause} before it started`);
    else await this.#ender.end(job, order);
    return true;
  }

  async pass(root: string, signal: NodeJS.Signals): Promise<boolean> {
    const job = this.#active.get(root);
    if (job === undefined || job.isOver) return false;
    throw new BadRequestError(`kill: "meta.signal": ${signal} cannot be sent to a container job`, {
      hint: 'container jobs can be ended: TERM, INT, KILL, …',
    });
  }

  ended(root: string): Promise<void> {
    return this.#watch.ended(root);
  }

  isActive(root: string): boolean {
    return this.#active.has(root);
  }

  /** Container jobs wait for their engine, not for each other. */
  place(): undefined {
    return undefined;
  }

  isStarting(root: string): boolean {
    const kind = this.#active.get(root)?.state.kind;
    return kind !== undefined && kind !== 'accepted' && kind !== 'awaitingFolder';
  }

  report(root: string, record: TreeNode): Promise<JobReport> {
    return this.#reports.of(root, record);
  }

  hasPart(root: string, record: TreeNode, part: number): boolean {
    return this.#recorded.hasPart(root, record, part);
  }

  async output(
    root: string,
    record: TreeNode,
    asked: OutputAsked,
  ): Promise<readonly OutputPiece[]> {
    return outputOf(await this.report(root, record), asked);
  }

  leader(): undefined {
    return undefined;
  }

  outputSizes(): undefined {
    return undefined;
  }

  timedOutput(): readonly [] {
    return [];
  }

  async partOutputs(root: string, record: TreeNode): Promise<readonly PartOutputs[]> {
    return outputPlaces(await this.report(root, record), !this.isActive(root));
  }

  follow(
    root: string,
    record: TreeNode,
    { stream, part = 0, from }: OutputAsked,
    signal: AbortSignal,
  ): AsyncIterable<Buffer> {
    const hasOutput = stream === 'stdout' && part === 0;
    const output = followOutput(
      {
        engine: () => this.#opened(),
        active: () => this.#active.get(root),
        // Of one whose output is followed the end is seen there: it need not be looked for.
        ended: () => (hasOutput ? this.#active.untilEnded(root) : this.ended(root)),
        hasOutput,
        recorded: () =>
          this.#recorded.reportOf(this.#options.database.tree(root) ?? record).combined ?? '',
      },
      signal,
    );
    return from === undefined ? output : behind(output, from);
  }

  /** It works in its image: what it leaves in the folder that it shares is there, where pman sees that. */
  workFolder(record: TreeNode): WorkFolder | undefined {
    const folder = sharedFolder(record, this.#options.shareRule);
    return folder === undefined ? undefined : { folder, owner: this.#options.fileOwner };
  }

  input(): undefined {
    return undefined;
  }

  /** What is kept beside the record is removed with the job's end. */
  forget(): void {}

  /** A job whose engine is away goes on. Does not wait for ever for one that goes away meanwhile. */
  endAll(order: KillRequest): Promise<void> {
    return endAllJobs(order, {
      jobs: this.#active.all(),
      ended: (root) => this.ended(root),
      kill: (root) => this.kill(root, order),
      allRemoved: () => this.#endings.allRemoved(),
      log: this.#options.log,
    });
  }

  get counts(): JobCounts {
    const started = this.#active.all().filter((job) => job.started !== undefined).length;
    return { running: started, waiting: this.#active.all().length - started };
  }

  /** Goes on with the jobs that an earlier server has left. Does not wait for the engine. */
  recover(): void {
    this.#recovery.recover();
  }

  /** Goes on with jobs of records that were not known when `recover` looked for them. */
  recoverMore(): void {
    this.#recovery.recoverMore();
  }

  close(): void {
    this.#closed = true;
    this.#watch.close();
    this.#timeLimits.close();
    this.#outputLimits.close();
  }

  /** The engine; its client is loaded when it is first asked for. */
  #opened(): Promise<Engine> {
    this.#engine ??= this.#options.openEngine(this.#instance).catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }
}
