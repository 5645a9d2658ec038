import { isOver, type SpoolState } from '../../../crunner/detached/journal.ts';
import type { JobGroups } from '../../../crunner/detached/place.ts';
import {
  RunnerClient,
  type RunnerClientOptions,
  type RunnerLink,
} from '../../../crunner/detached/runnerClient.ts';
import type { RunnerEvent } from '../../../crunner/detached/runnerEvent.ts';
import type { JobLimits } from '../../../crunner/job/jobLimits.ts';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { freely, inTurns, type Pace } from '../../concurrency/turns.ts';
import { messageOf, PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import { hostFacts } from '../../host/facts.ts';
import type { Logger } from '../../log.ts';
import { newJobRoot } from '../../records/jobRoot.ts';
import { newRecord } from '../../records/record.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JsonObject } from '../../wire/json.ts';
import { type TraceContext, traceVariables } from '../../wire/traceContext.ts';
import type { JobBackend, JobReport, JobRequest, OutputAsked, WorkFolder } from '../backend.ts';
import { type Capabilities, hostCapabilities } from '../capabilities.ts';
import { logAccepted, logEnded } from '../jobLog.ts';
import { hostView } from '../jobView.ts';
import { type OutputPiece, sizeOf, type TimedPiece } from '../outputPieces.ts';
import { progressOf } from '../progress.ts';
import { hostLimits, inputOf, type JobMaxima, refuseOverSsh, within } from '../runLimits.ts';
import { checkForSsh, partsOf } from './commandParts.ts';
import { HostOutputs } from './hostOutputs.ts';
import { HostSpool, notAccepted } from './hostSpool.ts';
import { JobQueue } from './jobQueue.ts';
import { closeOrphans } from './orphanRecords.ts';
import { Poller, type PollerOptions, type SpoolOwner } from './poller.ts';
import type { SshHosts } from './sshHosts.ts';

export interface HostJobsOptions extends PollerOptions {
  /** Where jobs may go by ssh. */
  readonly sshHosts: SshHosts;
  /** Whether jobs with a container run here like any other. */
  readonly runsImages?: boolean;
  /** How many jobs run at once; the others wait in order. */
  readonly maxJobs: number;
  /** Whether to have the disk confirm what is acknowledged. */
  readonly fsync: boolean;
  /** The variables that jobs inherit; undefined: those of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** What every job of this host may take at most, and as whom it runs. */
  readonly limits?: JobMaxima & Pick<JobLimits, 'user'>;
  /** Which jobs get control groups; default: none. */
  readonly jobGroups?: JobGroups | undefined;
  readonly log: Logger;
  /** Is told of what is counted. */
  readonly meter?: HostMeter;
  /** The way to the process that runs the jobs; default: over its socket. */
  readonly connect?: (options: RunnerClientOptions) => RunnerLink;
}

/** Is told of what happens to the jobs of this host, for figures. */
export interface HostMeter {
  /** A job has ended, whose outputs have so many bytes. */
  readonly ended: (outputBytes: number) => void;
  /** The runner had gone while it had jobs. */
  readonly runnerLost: () => void;
}

/** How often the jobs that run are held against their spools, in milliseconds. */
const AUDIT_MS = 5000;

/**
 * The jobs that run on this host: takes them in, has the runner run them, and writes what it tells into their
 * records.
 */
export class HostJobs implements JobBackend {
  readonly #options: HostJobsOptions;
  readonly #outputs: HostOutputs;
  readonly #spool: HostSpool;
  readonly #runner: RunnerLink;
  readonly #poller: Poller;
  /** Asked for with the first job: the system takes a while to tell. */
  #host: JsonObject | undefined;
  /** Those that run have been handed to the runner. */
  readonly #queue: JobQueue;
  readonly #audit: NodeJS.Timeout;
  #closed = false;
  #runnerProblem: string | undefined;

  constructor(options: HostJobsOptions) {
    this.#options = options;
    this.#outputs = new HostOutputs(options);
    this.#spool = new HostSpool(options);
    this.#poller = new Poller(options);
    this.#queue = new JobQueue(options.maxJobs);
    const connect = options.connect ?? ((to) => new RunnerClient(to));
    this.#runner = connect({
      spool: options.spool,
      env: options.env,
      log: options.log,
      onEvent: (event) => this.#onEvent(event),
      onLost: () => this.#onRunnerLost(),
      jobGroups: options.jobGroups,
    });
    this.#audit = setInterval(() => this.#compareWithSpool(), AUDIT_MS).unref();
  }

  /** Accepts a job (see JobBackend.submit). Refuses a command that ssh cannot carry, and a host that is not allowed. */
  async submit({ rawMeta, cmd, auid, jid, trace, ...asked }: JobRequest): Promise<string> {
    const { database, fsync, sshHosts } = this.#options;
    const ssh = asked.ssh === undefined ? undefined : sshHosts.connectionTo(asked.ssh);
    const { user, ...maxima } = ssh === undefined ? (this.#options.limits ?? {}) : {};
    const own = { ...within(hostLimits(asked), maxima), ...(user && { user }) };
    const limits = traced(own, trace);
    const input = inputOf(asked);
    if (ssh !== undefined) refuseOverSsh(asked.limits, input);
    const job = { rawMeta, cmd, auid, jid, ...(trace && { trace }) };
    const parts = asked.shell ? [job.cmd] : await partsOf(job.cmd);
    if (ssh !== undefined) await checkForSsh(limits);
    // Nothing is awaited from here on: of two requests with one key the second finds the first.
    const record = newRecord(job);
    const known = database.sameJob(record);
    if (known !== undefined) return known;
    if (database.problem !== undefined) throw notAccepted(database.problem);
    const root = newJobRoot(preciseNow());
    this.#host ??= hostFacts();
    const owner: SpoolOwner = { job, host: this.#host };
    const request = {
      ...{ parts, owner, limits, fsync, ...(ssh && { ssh }) },
      ...(input && { hasStdin: true }),
    };
    try {
      this.#spool.accept(root, request, input && { bytes: input, owner: limits.user });
    } catch (error) {
      database.refused(error instanceof PmanError ? error.cause : error);
      throw error;
    }
    database.add(root, record);
    logAccepted(this.#options.log, root, job);
    this.#queue.wait(root, request);
    this.#startWaiting();
    return root;
  }

  /** Resolves when the job has ended; at once when it has, or is none of this host's. */
  ended(root: string): Promise<void> {
    return this.#queue.ended(root);
  }

  /**
   * Ends a job; says whether there was anything to end. Its record stays and says who ended it. When it resolves, the
   * order is on the disk, if that takes it: it outlives this process and the runner.
   * @throws PmanError storage when the disk does not take that a waiting job is not to run
   */
  async kill(root: string, request: KillRequest): Promise<boolean> {
    if (this.#queue.isWaiting(root)) {
      this.#drop(root, `${request.cause} before it started`);
      return true;
    }
    if (!this.#queue.has(root)) return false;
    this.#spool.orderEnd(root, request);
    await this.#runner.kill(this.#spool.folder(root), request);
    return true;
  }

  /** Sends a signal to the running part of a job (see JobBackend.pass). */
  async pass(root: string, signal: NodeJS.Signals): Promise<boolean> {
    if (this.#queue.isWaiting(root) || !this.#queue.has(root)) return false;
    await this.#runner.pass(this.#spool.folder(root), signal);
    return true;
  }

  /** Ends every job, and waits until each has ended. */
  async endAll(request: KillRequest): Promise<void> {
    await Promise.all(
      this.#queue.roots.map(async (root) => {
        const ended = this.ended(root);
        await this.kill(root, request);
        await ended;
      }),
    );
  }

  isStarting(root: string): boolean {
    return this.#queue.has(root) && !this.#queue.isWaiting(root);
  }

  async report(root: string, record: TreeNode): Promise<JobReport> {
    const jobCause = record.leaves.get('cause');
    return {
      status: progressOf(record).status,
      ...(jobCause === undefined ? {} : { jobCause }),
      parts: () => this.#outputs.parts(root, record, this.isActive(root)),
    };
  }

  hasPart(root: string, record: TreeNode, part: number): boolean {
    return part < progressOf(record).entries.length || this.isActive(root);
  }

  async output(
    root: string,
    record: TreeNode,
    asked: OutputAsked,
  ): Promise<readonly OutputPiece[]> {
    return this.#outputs.pieces(root, record, asked);
  }

  outputSizes(root: string, record: TreeNode) {
    if (!this.isStarting(root)) return undefined;
    const size = (stream: 'stdout' | 'stderr') =>
      sizeOf(this.#outputs.pieces(root, record, { stream, part: undefined }));
    return { stdout: size('stdout'), stderr: size('stderr') };
  }

  timedOutput(root: string, part: number): readonly TimedPiece[] {
    return this.#outputs.timed(root, part);
  }

  follow(
    root: string,
    record: TreeNode,
    asked: OutputAsked,
    signal: AbortSignal,
  ): AsyncIterable<Buffer> {
    return this.#outputs.follow(root, asked, {
      recordOf: () => this.#options.database.tree(root) ?? record,
      isActive: () => this.isActive(root),
      signal,
    });
  }

  /** That of this host: the one that was named, or pman's. */
  workFolder(record: TreeNode): WorkFolder | undefined {
    const { cwd, ssh } = hostView(record).asked();
    if (ssh !== undefined) return undefined;
    const folder = typeof cwd === 'string' ? cwd : process.cwd();
    return { folder, owner: this.#options.limits?.user?.uid };
  }

  get capabilities(): readonly Capabilities[] {
    const { sshHosts, runsImages = false } = this.#options;
    return [hostCapabilities(sshHosts.areThere, runsImages)];
  }

  input(root: string): Buffer | undefined {
    return this.#spool.input(root);
  }

  /** Removes what the spool keeps of a job that has ended. */
  forget(root: string): void {
    this.#spool.forget(root);
  }

  /** The place in the queue of a job that waits, from 1 on. */
  place(root: string): number | undefined {
    return this.#queue.place(root);
  }

  /** How many jobs run, and how many wait for their turn. */
  get counts(): { readonly running: number; readonly waiting: number } {
    return this.#queue.counts;
  }

  /** Why no job can be run just now, for everybody; undefined when all is well. */
  get runnerProblem(): string | undefined {
    return this.#runnerProblem;
  }

  /** Whether a job waits or runs. */
  isActive(root: string): boolean {
    return this.#queue.has(root);
  }

  /** Finds the jobs that an earlier server left: goes on watching them, or writes down how they ended. */
  async recover(): Promise<void> {
    await this.#runner.find();
    for (const root of this.#spool.roots()) {
      try {
        this.#recoverOne(root);
      } catch (error) {
        // One job is no reason not to start: it stays as it is until the next start.
        this.#warn('a job cannot be taken up', root, error);
      }
    }
    await this.closeOrphans();
  }

  #recoverOne(root: string): void {
    const { database } = this.#options;
    const state = this.#spool.isOpen(root) ? this.#spool.readMended(root) : undefined;
    if (state === undefined) {
      // Its record was removed by hand, or it was never accepted.
      if (!database.has(root)) this.forget(root);
      else if (this.#spool.isOpen(root)) this.#spool.discardJournal(root);
      return;
    }
    if (!database.has(root)) database.add(root, newRecord((state.request.owner as SpoolOwner).job));
    database.hold(root);
    this.#takeUp(root, state);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#audit);
    this.#runner.close();
  }

  #startWaiting(): void {
    for (let root = this.#queue.next(); root !== undefined; root = this.#queue.next())
      this.#start(root);
  }

  #start(root: string): void {
    const started = this.#runner.run(this.#spool.folder(root)).then(() => {
      this.#runnerProblem = undefined;
    });
    started.catch((error: unknown) => {
      if (error instanceof PmanError) this.#runnerProblem = 'the runner cannot be started';
      try {
        // No runner can be had. Anything else (no file to be opened just now) passes: the audit tries again.
        if (error instanceof PmanError) this.#drop(root, messageOf(error));
        else this.#warn('a job cannot be run yet', root, error);
      } catch (refused) {
        this.#warn('a job cannot be run', root, refused);
      }
    });
  }

  #onEvent(event: RunnerEvent): void {
    const root = event.folder.slice(this.#options.spool.length + 1);
    const request = this.#queue.requestOf(root);
    if (request === undefined) return; // its record was removed
    try {
      if (event.kind === 'start') this.#poller.partStarted(root, request, event.part, event.start);
      else this.#poller.partEnded(root, request, event.part, event.end);
    } catch (error) {
      // Of one job: the journal still has it, and the audit tries again.
      this.#warn('a record cannot be kept', root, error);
      return;
    }
    if (event.kind === 'end' && event.end.last) this.#finish(root);
  }

  #finish(root: string): void {
    const { database, log } = this.#options;
    const bytes = this.#spool.outputBytes(root);
    logEnded(log, root, database.tree(root), progressOf);
    this.#options.meter?.ended(bytes);
    database.release(root, bytes, () => this.#spool.close(root));
    this.#queue.end(root);
    this.#startWaiting();
  }

  /** A job is not to run (any more): a later server keeps to that. */
  #drop(root: string, reason: string): void {
    this.#spool.drop(root, reason);
    this.#poller.dropped(root, reason);
    this.#finish(root);
  }

  /** Goes on with a job that this server has not started itself, or whose runner has gone. */
  #takeUp(root: string, state: SpoolState): void {
    this.#poller.catchUp(root, state);
    if (isOver(state)) this.#finish(root);
    else if (state.parts.length > 0 || state.kill !== undefined) {
      this.#queue.run(root, state.request);
      this.#start(root);
      // A runner that has the job may never have heard of the order.
      if (state.kill !== undefined) this.#repeatKill(root, state.kill);
    } else {
      this.#queue.wait(root, state.request);
      this.#startWaiting();
    }
  }

  #repeatKill(root: string, order: KillRequest): void {
    this.#runner
      .kill(this.#spool.folder(root), order)
      .catch((error: unknown) => this.#warn('a job cannot be ended', root, error));
  }

  /**
   * Closes the records that have not ended and have no spool: written by the original, or their spool was removed. In turns
   * with other work: there may be as many as there are records.
   */
  async closeOrphans(pace: Pace = freely): Promise<void> {
    const { database, log } = this.#options;
    // A server that has been closed meanwhile leaves the rest to the next one.
    const isActive = (root: string) =>
      this.#closed || this.isActive(root) || this.#spool.isOpen(root);
    const onLost = (root: string) => logEnded(log, root, database.tree(root), progressOf);
    await inTurns(closeOrphans(database, { isActive, onLost }), pace);
  }

  /**
   * Holds the jobs that run against their spools, and has each run again: the runner leaves those alone that it has. What was
   * said between two processes while one of them died may have been heard by nobody.
   */
  #compareWithSpool(): void {
    for (const root of this.#queue.running) {
      this.#lookAfter(root).catch((error: unknown) =>
        this.#warn('a job cannot be looked after', root, error),
      );
    }
  }

  async #lookAfter(root: string): Promise<void> {
    const state = this.#spool.read(root);
    if (state !== undefined && isOver(state)) {
      this.#poller.catchUp(root, state);
      this.#finish(root);
    } else {
      await this.#runner.run(this.#spool.folder(root));
      this.#runnerProblem = undefined;
    }
  }

  #onRunnerLost(): void {
    if (this.#closed) return;
    this.#options.log.warn('the runner has gone; looking after its jobs');
    if (this.#queue.running.length > 0) {
      this.#options.meter?.runnerLost();
      this.#runnerProblem = 'the runner is gone';
    }
    for (const root of this.#queue.running) {
      try {
        const state = this.#spool.read(root);
        if (state !== undefined) this.#takeUp(root, state);
      } catch (error) {
        // It still counts as running: the audit tries again.
        this.#warn('a job cannot be looked after', root, error);
      }
    }
  }

  #warn(message: string, root: string, error: unknown): void {
    this.#options.log.warn(message, { root, error: messageOf(error) });
  }
}

/** Limits with the variables of a trace; those that the client names itself win. */
function traced(limits: JobLimits, trace: TraceContext | undefined): JobLimits {
  return trace === undefined
    ? limits
    : { ...limits, env: { ...traceVariables(trace), ...limits.env } };
}
