import {
  isOver,
  type PartEnd,
  type SpoolRequest,
  type SpoolState,
} from '../../../crunner/detached/journal.ts';
import type { JobGroups } from '../../../crunner/detached/place.ts';
import {
  RunnerClient,
  type RunnerClientOptions,
  type RunnerLink,
} from '../../../crunner/detached/runnerClient.ts';
import type { RunnerEvent } from '../../../crunner/detached/runnerEvent.ts';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { messageOf, PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { logEnded } from '../jobLog.ts';
import { progressOf } from '../progress.ts';
import type { HostSpool } from './hostSpool.ts';
import type { JobQueue } from './jobQueue.ts';
import { Poller, type PollerOptions } from './poller.ts';

export interface HostRunsOptions extends PollerOptions {
  /** The variables that jobs inherit; undefined: those of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
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
 * Sees the jobs of this host from the queue to their end: has the runner run them, and writes what it tells into their
 * records.
 */
export class HostRuns {
  readonly #options: HostRunsOptions;
  readonly #spool: HostSpool;
  /** Those that run have been handed to the runner. */
  readonly #queue: JobQueue;
  readonly #runner: RunnerLink;
  readonly #poller: Poller;
  readonly #audit: NodeJS.Timeout;
  #closed = false;
  #problem: string | undefined;

  constructor(options: HostRunsOptions, spool: HostSpool, queue: JobQueue) {
    this.#options = options;
    this.#spool = spool;
    this.#queue = queue;
    this.#poller = new Poller(options);
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

  /** Why no job can be run just now, for everybody; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Connects to a runner that an earlier server has left, if there is one. */
  async find(): Promise<void> {
    await this.#runner.find();
  }

  /** Whether a job that is added now runs at once. */
  get hasRoom(): boolean {
    return this.#queue.hasRoom;
  }

  /** Has a job run when its turn comes: the spool has it, and there is its record. */
  add(root: string, request: SpoolRequest): void {
    this.#queue.wait(root, request);
    this.#startWaiting();
  }

  /**
   * Ends a job; says whether there was anything to end. Its record stays and says who ended it. When it resolves, the
   * order is on the disk, if that takes it: it outlives this process and the runner.
   * @throws PmanError storage when the disk does not take that a waiting job is not to run
   */
  async kill(root: string, request: KillRequest): Promise<boolean> {
    // The runner does not know a job that the disk has not given a folder yet.
    if (this.#queue.isWaiting(root) || (this.#queue.has(root) && this.#spool.isUnopened(root))) {
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

  /** Goes on with a job that this server has not started itself, or whose runner has gone. */
  takeUp(root: string, state: SpoolState): void {
    this.#poller.catchUp(root, state);
    if (isOver(state)) this.#finish(root, knownBytes(state.request, state.parts.at(-1)?.end));
    else if (state.parts.length > 0 || state.kill !== undefined) {
      this.#queue.run(root, state.request);
      this.#start(root);
      // A runner that has the job may never have heard of the order.
      if (state.kill !== undefined) this.#repeatKill(root, state.kill);
    } else this.add(root, state.request);
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
    try {
      this.#open(root);
    } catch (error) {
      // No room, or no file to be opened just now: the audit tries again.
      this.#warn('a job cannot be run yet', root, error);
      return;
    }
    const started = this.#runner.run(this.#spool.folder(root)).then(() => {
      this.#problem = undefined;
    });
    started.catch((error: unknown) => {
      if (error instanceof PmanError) this.#problem = 'the runner cannot be started';
      try {
        // No runner can be had. Anything else (no file to be opened just now) passes: the audit tries again.
        if (error instanceof PmanError) this.#drop(root, messageOf(error));
        else this.#warn('a job cannot be run yet', root, error);
      } catch (refused) {
        this.#warn('a job cannot be run', root, refused);
      }
    });
  }

  /** @throws the file system's error */
  #open(root: string): void {
    const request = this.#queue.requestOf(root);
    if (request !== undefined) this.#spool.open(root, request);
  }

  #onEvent(event: RunnerEvent): void {
    const root = event.folder.slice(this.#options.spool.length + 1);
    const request = this.#queue.requestOf(root);
    if (request === undefined) return; // its record was removed
    if (event.kind === 'start') this.#spool.began(root);
    try {
      if (event.kind === 'start') this.#poller.partStarted(root, request, event.part, event.start);
      else this.#poller.partEnded(root, request, event.part, event.end);
    } catch (error) {
      // Of one job: the journal still has it, and the audit tries again.
      this.#warn('a record cannot be kept', root, error);
      return;
    }
    if (event.kind !== 'end' || !event.end.last) return;
    this.#finish(root, knownBytes(request, event.end));
  }

  /** @param bytes what its outputs take on the disk; default: as the disk says */
  #finish(root: string, bytes = this.#spool.outputBytes(root)): void {
    const { database, log } = this.#options;
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

  #repeatKill(root: string, order: KillRequest): void {
    this.#runner
      .kill(this.#spool.folder(root), order)
      .catch((error: unknown) => this.#warn('a job cannot be ended', root, error));
  }

  /**
   * Holds the jobs that run against their spools, and has each run again: the runner leaves those alone that it has. What was
   * said between two processes while one of them died may have been heard by nobody.
   */
  #compareWithSpool(): void {
    if (this.#problem !== undefined) void this.#reachRunner();
    for (const root of this.#queue.running) {
      this.#lookAfter(root).catch((error: unknown) =>
        this.#warn('a job cannot be looked after', root, error),
      );
    }
  }

  /** Whoever hears that no job can be run sends none, so the next job is not what finds out that it is over. */
  async #reachRunner(): Promise<void> {
    try {
      await this.#runner.reach();
      this.#problem = undefined;
    } catch (error) {
      this.#options.log.warn('there is still no runner', { error: messageOf(error) });
    }
  }

  async #lookAfter(root: string): Promise<void> {
    const state = this.#spool.read(root);
    if (state !== undefined && isOver(state)) {
      this.#poller.catchUp(root, state);
      this.#finish(root);
    } else {
      this.#open(root);
      await this.#runner.run(this.#spool.folder(root));
      this.#problem = undefined;
    }
  }

  #onRunnerLost(): void {
    if (this.#closed) return;
    this.#options.log.warn('the runner has gone; looking after its jobs');
    if (this.#queue.running.length > 0) {
      this.#options.meter?.runnerLost();
      this.#problem = 'the runner is gone';
    }
    for (const root of this.#queue.running) {
      try {
        const state = this.#spool.read(root);
        if (state !== undefined) this.takeUp(root, state);
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

/** What the spool has of a job whose only part was seen to write nothing; undefined where the disk has to be asked. */
function knownBytes({ parts, hasStdin }: SpoolRequest, end: PartEnd | undefined): 0 | undefined {
  return end?.silent && parts.length === 1 && !hasStdin ? 0 : undefined;
}
