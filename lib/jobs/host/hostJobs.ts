import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import type { Soon } from '../../concurrency/soon.ts';
import { freely, inTurns, type Pace } from '../../concurrency/turns.ts';
import { TreeNode } from '../../tree/node.ts';
import type {
  BackendReadiness,
  JobBackend,
  JobReport,
  JobRequest,
  OutputAsked,
  WorkFolder,
} from '../backend.ts';
import { type Capabilities, hostCapabilities } from '../capabilities.ts';
import { logEnded } from '../jobLog.ts';
import { hostView } from '../jobView.ts';
import { type OutputPiece, type PartOutputs, sizeOf, type TimedPiece } from '../outputPieces.ts';
import { progressOf } from '../progress.ts';
import { HostIntake, type HostIntakeOptions } from './hostIntake.ts';
import { HostOutputs } from './hostOutputs.ts';
import { recoverJobs } from './hostRecovery.ts';
import { HostRuns, type HostRunsOptions } from './hostRuns.ts';
import { HostSpool } from './hostSpool.ts';
import { JobQueue } from './jobQueue.ts';
import { closeOrphans } from './orphanRecords.ts';

export interface HostJobsOptions extends HostIntakeOptions, HostRunsOptions {
  /** Whether jobs with a container run here like any other. */
  readonly runsImages?: boolean;
  /** How many jobs run at once; the others wait in order. */
  readonly maxJobs: number;
}

/** The jobs that run on this host, as those see them who have jobs run: sends each question to who knows. */
export class HostJobs implements JobBackend {
  readonly #options: HostJobsOptions;
  readonly #spool: HostSpool;
  readonly #queue: JobQueue;
  readonly #outputs: HostOutputs;
  readonly #runs: HostRuns;
  readonly #intake: HostIntake;
  #isClosed = false;

  constructor(options: HostJobsOptions) {
    this.#options = options;
    this.#spool = new HostSpool(options);
    this.#queue = new JobQueue(options.maxJobs);
    this.#outputs = new HostOutputs(options);
    this.#runs = new HostRuns(options, this.#spool, this.#queue);
    this.#intake = new HostIntake(options, this.#spool, this.#runs);
  }

  /** Accepts a job (see JobBackend.submit). Refuses a command that ssh cannot carry, and a host that is not allowed. */
  submit(request: JobRequest): Soon<string> {
    return this.#intake.submit(request);
  }

  /** Resolves when the job has ended; at once when it has, or is none of this host's. */
  ended(root: string): Promise<void> {
    return this.#queue.ended(root);
  }

  kill(root: string, request: KillRequest): Promise<boolean> {
    return this.#runs.kill(root, request);
  }

  pass(root: string, signal: NodeJS.Signals): Promise<boolean> {
    return this.#runs.pass(root, signal);
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

  report(root: string, record: TreeNode): JobReport {
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

  leader(root: string, record: TreeNode): number | undefined {
    if (!this.isStarting(root)) return undefined;
    const entry = progressOf(record).entries.at(-1);
    const isRunning = entry?.endstamp === undefined && entry?.remoteHost === undefined;
    return isRunning && typeof entry?.pid === 'number' ? entry.pid : undefined;
  }

  timedOutput(root: string, part: number): readonly TimedPiece[] {
    const record = this.#options.database.tree(root) ?? new TreeNode();
    return this.#outputs.timed(root, record, part, this.isActive(root));
  }

  async partOutputs(root: string, record: TreeNode): Promise<readonly PartOutputs[]> {
    return this.#outputs.places(root, record, this.isActive(root));
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

  async readiness(): Promise<BackendReadiness> {
    const { problem } = this.#runs;
    return problem === undefined ? { state: 'ready' } : { state: 'failing', problem };
  }

  /** Whether a job waits or runs. */
  isActive(root: string): boolean {
    return this.#queue.has(root);
  }

  /** Finds the jobs that an earlier server left: goes on watching them, or writes down how they ended. */
  async recover(): Promise<void> {
    const { database, log } = this.#options;
    await recoverJobs({ database, spool: this.#spool, runs: this.#runs, log });
    await this.closeOrphans();
  }

  close(): void {
    this.#isClosed = true;
    this.#runs.close();
    this.#spool.end();
  }

  /**
   * Closes the records that have not ended and have no spool: written by the original, or their spool was removed. In turns
   * with other work: there may be as many as there are records.
   */
  async closeOrphans(pace: Pace = freely): Promise<void> {
    const { database, log } = this.#options;
    // A server that has been closed meanwhile leaves the rest to the next one.
    const isActive = (root: string) =>
      this.#isClosed || this.isActive(root) || this.#spool.isOpen(root);
    const onLost = (root: string) => logEnded(log, root, database.tree(root), progressOf);
    await inTurns(closeOrphans(database, { isActive, onLost }), pace);
  }
}
