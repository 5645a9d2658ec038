import type { KillRequest } from '../../crunner/job/killRequest.ts';
import type { Soon } from '../concurrency/soon.ts';
import { BadRequestError } from '../errors.ts';
import type { JobDatabase } from '../records/database.ts';
import type { TreeNode } from '../tree/node.ts';
import type {
  JobBackend,
  JobCounts,
  JobReport,
  JobRequest,
  OutputAsked,
  WorkFolder,
} from './backend.ts';
import type { Capabilities } from './capabilities.ts';
import type { Enforcers } from './enforcers.ts';
import type { JobView, ViewJob } from './jobView.ts';
import type { OutputPiece, PartOutputs, TimedPiece } from './outputPieces.ts';
import type { JobProgress, ReadProgress } from './progress.ts';
import { isContainerRecord } from './recordKinds.ts';

export interface JobsOptions {
  readonly database: JobDatabase;
  readonly progressOf: ReadProgress;
  readonly viewOf: ViewJob;
  readonly host: JobBackend;
  readonly containers: JobBackend;
  /** Where jobs with a container go. `host`: their command runs on this host. */
  readonly containerJobs: 'containers' | 'host';
  /** What holds jobs of this host to their limits. */
  readonly enforcers: Enforcers;
}

/** All jobs of this server, whatever runs them: finds the back-end of each by its record. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #backends: readonly JobBackend[];

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#backends = [options.host, options.containers];
  }

  /** Whether a job with this container goes to an engine; else its command runs on a host, or it is refused. */
  isForEngine(container: unknown): boolean {
    return container !== undefined && this.#options.containerJobs !== 'host';
  }

  /** Accepts a job (see JobBackend.submit). */
  submit(request: JobRequest): Soon<string> {
    const { host, containers, containerJobs } = this.#options;
    if (request.container === undefined) return host.submit(request);
    if (request.ssh !== undefined) {
      throw new BadRequestError('run: "meta.ssh": a container job cannot go to another host', {
        hint: 'leave out meta.container or meta.ssh',
      });
    }
    return (containerJobs === 'host' ? host : containers).submit(request);
  }

  /** How far a job has come, by its record alone. */
  progress(record: TreeNode): JobProgress {
    return this.#options.progressOf(record);
  }

  /** How a job stands, by its record alone. */
  view(record: TreeNode): JobView {
    return this.#options.viewOf(record);
  }

  async kill(root: string, order: KillRequest): Promise<boolean> {
    const backend = this.#activeBackend(root);
    return backend === undefined ? false : backend.kill(root, order);
  }

  pass(root: string, signal: NodeJS.Signals): Promise<boolean> {
    return this.#of(root).pass(root, signal);
  }

  async ended(root: string): Promise<void> {
    await this.#of(root).ended(root);
  }

  isActive(root: string): boolean {
    return this.#activeBackend(root) !== undefined;
  }

  place(root: string): number | undefined {
    return this.#activeBackend(root)?.place(root);
  }

  /** Whether a job of which nothing has started has had its turn. */
  isStarting(root: string): boolean {
    return this.#activeBackend(root)?.isStarting(root) ?? false;
  }

  report(root: string, record: TreeNode): Soon<JobReport> {
    return this.#by(record).report(root, record);
  }

  /** Whether a client may name this part. */
  hasPart(root: string, record: TreeNode, part: number): boolean {
    return this.#by(record).hasPart(root, record, part);
  }

  output(root: string, record: TreeNode, asked: OutputAsked): Promise<readonly OutputPiece[]> {
    return this.#by(record).output(root, record, asked);
  }

  /** The process of this host that leads the part that runs; undefined where there is none. */
  leader(root: string, record: TreeNode) {
    return this.#by(record).leader(root, record);
  }

  /** How much a job that runs has written, in bytes; undefined where that is not known. */
  outputSizes(root: string, record: TreeNode) {
    return this.#by(record).outputSizes(root, record);
  }

  timedOutput(root: string, part: number): readonly TimedPiece[] {
    return this.#of(root).timedOutput(root, part);
  }

  partOutputs(root: string, record: TreeNode): Promise<readonly PartOutputs[]> {
    return this.#by(record).partOutputs(root, record);
  }

  follow(
    root: string,
    record: TreeNode,
    asked: OutputAsked,
    signal: AbortSignal,
  ): AsyncIterable<Buffer> {
    return this.#by(record).follow(root, record, asked, signal);
  }

  /** The folder that a job has worked in, where others may be given files of it. */
  workFolder(record: TreeNode): WorkFolder | undefined {
    return this.#by(record).workFolder(record);
  }

  /** What each back-end can do. */
  get capabilities(): readonly Capabilities[] {
    return this.#backends.flatMap(({ capabilities }) => capabilities);
  }

  /** Whether each of them could run a job now. */
  async readiness() {
    const all = this.#backends.flatMap((backend) =>
      backend.capabilities.map(async ({ name }) => ({
        ...{ name, problem: null, hint: null },
        ...(await backend.readiness()),
      })),
    );
    return Promise.all(all);
  }

  /** Whether jobs with a container run on this host like any other. */
  get runsImagesHere(): boolean {
    return this.#options.containerJobs === 'host';
  }

  /** What a job was given to read; undefined when that is not kept, or was nothing. */
  input(root: string): Buffer | undefined {
    return this.#of(root).input(root);
  }

  /** Removes what is kept beside the record of a job that has ended; the record may be gone. */
  forget(root: string): void {
    for (const backend of this.#backends) backend.forget(root);
  }

  async endAll(order: KillRequest): Promise<void> {
    await Promise.all(this.#backends.map((backend) => backend.endAll(order)));
  }

  get counts(): JobCounts {
    const all = this.#backends.map(({ counts }) => counts);
    return {
      running: all.reduce((sum, { running }) => sum + running, 0),
      waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
    };
  }

  /** What holds jobs of this host to each kind of limit. */
  get enforcers(): Enforcers {
    return this.#options.enforcers;
  }

  #activeBackend(root: string): JobBackend | undefined {
    return this.#backends.find((backend) => backend.isActive(root));
  }

  #of(root: string): JobBackend {
    const { database, host } = this.#options;
    const active = this.#activeBackend(root);
    if (active !== undefined) return active;
    const record = database.tree(root);
    return record === undefined ? host : this.#by(record);
  }

  #by(record: TreeNode): JobBackend {
    const { host, containers } = this.#options;
    return isContainerRecord(record) ? containers : host;
  }
}
