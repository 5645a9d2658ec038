import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup, isAlive, preciseNow } from '../../crunner/processes.ts';
import type { KillRequest, RunnerEvent } from '../../crunner/runner.ts';
import { RunnerClient } from '../../crunner/runnerClient.ts';
import {
  closeSpool,
  createSpool,
  isOpenSpool,
  type JobLimits,
  type PartStart,
  partFiles,
  readOutput,
  readSpool,
  type SpoolRequest,
  type SpoolState,
} from '../../crunner/spool.ts';
import { watchTimeLimit } from '../../crunner/timeLimit.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isJobRoot } from '../tree/paths.ts';
import { hostFacts } from './hostFacts.ts';
import { Poller, type PollerOptions, type SpoolOwner } from './poller.ts';
import { isDone, progressOf } from './progress.ts';
import { type NewJob, newRecord, recordLost } from './record.ts';
import { newJobRoot } from './stamps.ts';

export interface HostJobsOptions extends PollerOptions {
  /** How many jobs run at once; the others wait in order. */
  readonly maxJobs: number;
  /** Whether to have the disk confirm what is acknowledged. */
  readonly fsync: boolean;
  readonly log: Logger;
}

export interface LiveOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** More sub-jobs than this are run as one: a record repeats all earlier entries in each epoch. */
const MAX_SUB_JOBS = 64;
const RETRY_LATER = { hint: 'send it again when the disk can be written again' };
/** How often the process of a job without a runner is looked at, in milliseconds. */
const ADOPTED_POLL_MS = 250;

/**
 * The jobs that run on this host: takes them in, has the runner run them, and writes what it tells into their
 * records.
 */
export class HostJobs {
  readonly #options: HostJobsOptions;
  readonly #runner: RunnerClient;
  readonly #poller: Poller;
  readonly #host = hostFacts();
  /** Jobs that have been accepted and not handed to the runner, in order. */
  readonly #waiting = new Map<string, SpoolRequest>();
  /** Jobs that have been handed to the runner and not ended. */
  readonly #running = new Map<string, SpoolRequest>();
  /** Those of them whose runner has gone: their process, and who ended it. */
  readonly #adopted = new Map<string, { readonly start: PartStart; killed?: KillRequest }>();
  readonly #ended = new Map<string, Array<() => void>>();
  #closed = false;

  constructor(options: HostJobsOptions) {
    this.#options = options;
    this.#poller = new Poller(options);
    this.#runner = new RunnerClient({
      spool: options.spool,
      log: options.log,
      onEvent: (event) => this.#onEvent(event),
      onLost: () => this.#onRunnerLost(),
    });
  }

  /**
   * Accepts a job. When it resolves, the job is on the disk and will run. A job with the key of an earlier one is that
   * one, when it asks for the same.
   * @returns the name of its job root
   * @throws PmanError storage when the disk does not take it, conflict when its key stands for another job
   */
  async submit(job: NewJob, limits: JobLimits = {}): Promise<string> {
    const { database, fsync } = this.#options;
    const parts = await partsOf(job.cmd);
    // Nothing is awaited from here on: of two requests with one key the second finds the first.
    const record = newRecord(job);
    const known = database.sameJob(record);
    if (known !== undefined) return known;
    if (database.problem !== undefined) {
      throw new PmanError('storage', `the job was not accepted: ${database.problem}`, RETRY_LATER);
    }
    const root = newJobRoot(preciseNow());
    const owner: SpoolOwner = { job, host: this.#host };
    const request = { parts, owner, limits, fsync };
    try {
      createSpool(this.#folder(root), request);
    } catch (error) {
      this.#tryToForget(root);
      throw new PmanError('storage', `the job was not accepted: ${messageOf(error)}`, {
        ...RETRY_LATER,
        cause: error,
      });
    }
    database.add(root, record);
    this.#waiting.set(root, request);
    this.#startWaiting();
    return root;
  }

  /** Resolves when the job has ended; at once when it has, or is none of this host's. */
  async ended(root: string): Promise<void> {
    if (!this.isActive(root)) return;
    await new Promise<void>((resolve) => {
      this.#ended.set(root, [...(this.#ended.get(root) ?? []), resolve]);
    });
  }

  /** Ends a job; says whether there was anything to end. Its record stays and says who ended it. */
  async kill(root: string, request: KillRequest): Promise<boolean> {
    if (this.#waiting.delete(root)) {
      this.#endUnstarted(root, `${request.cause} before it started`);
      return true;
    }
    if (!this.#running.has(root)) return false;
    const adopted = this.#adopted.get(root);
    if (adopted !== undefined) {
      adopted.killed = request;
      void endGroup(adopted.start.pid, request.signal, request.graceMs);
      return true;
    }
    await this.#runner.kill(this.#folder(root), request);
    return true;
  }

  /** What the sub-jobs of a job that has not ended have written so far, in order. */
  liveOutput(root: string): readonly LiveOutput[] {
    const state = this.isActive(root) ? readSpool(this.#folder(root)) : undefined;
    const { outputLimitBytes } = this.#options;
    return (state?.parts ?? []).map((_, part) => {
      const files = partFiles(this.#folder(root), part);
      return {
        stdout: readOutput(files.out, outputLimitBytes).text,
        stderr: readOutput(files.err, outputLimitBytes).text,
      };
    });
  }

  /** The file that holds the whole output of a sub-job; it may be missing. */
  outputFile(root: string, part: number, stream: 'stdout' | 'stderr'): string {
    const files = partFiles(this.#folder(root), part);
    return stream === 'stdout' ? files.out : files.err;
  }

  /** Ends every job, and waits until each has ended. */
  async endAll(request: KillRequest): Promise<void> {
    const roots = [...this.#waiting.keys(), ...this.#running.keys()];
    await Promise.all(
      roots.map(async (root) => {
        const ended = this.ended(root);
        await this.kill(root, request);
        await ended;
      }),
    );
  }

  /** Removes what the spool keeps of a job that has ended. */
  forget(root: string): void {
    rmSync(this.#folder(root), { recursive: true, force: true });
  }

  /** After a refused write: a disk that refuses the removal too is not the news. */
  #tryToForget(root: string): void {
    try {
      this.forget(root);
    } catch (error) {
      this.#options.log.warn('cannot remove a spool folder', { root, error: messageOf(error) });
    }
  }

  /** How many jobs run, and how many wait for their turn. */
  get counts(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: this.#waiting.size };
  }

  /** Whether a job waits or runs. */
  isActive(root: string): boolean {
    return this.#running.has(root) || this.#waiting.has(root);
  }

  /** Finds the jobs that an earlier server left: goes on watching them, or writes down how they ended. */
  async recover(): Promise<void> {
    const running = new Set(await this.#runner.find());
    const { database, spool } = this.#options;
    for (const root of spoolNames(spool)) {
      if (!isOpenSpool(this.#folder(root))) {
        if (!database.has(root)) this.forget(root); // its record was removed by hand
        continue;
      }
      const state = readSpool(this.#folder(root));
      if (state === undefined) {
        this.forget(root); // it was never accepted
        continue;
      }
      if (!database.has(root))
        database.add(root, newRecord((state.request.owner as SpoolOwner).job));
      database.hold(root);
      this.#takeUp(root, state, running.has(this.#folder(root)));
    }
    this.#closeOrphans();
  }

  close(): void {
    this.#closed = true;
    this.#runner.close();
  }

  #folder(root: string): string {
    return join(this.#options.spool, root);
  }

  #startWaiting(): void {
    while (this.#running.size < this.#options.maxJobs) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [root, request] = next;
      this.#waiting.delete(root);
      this.#running.set(root, request);
      this.#runner.run(this.#folder(root)).catch((error: unknown) => {
        this.#endUnstarted(root, messageOf(error));
      });
    }
  }

  #onEvent(event: RunnerEvent): void {
    const root = event.folder.slice(this.#options.spool.length + 1);
    const request = this.#running.get(root);
    if (request === undefined) return; // its record was removed
    if (event.kind === 'start') this.#poller.partStarted(root, request, event.part, event.start);
    else {
      this.#poller.partEnded(root, event.part, event.end);
      if (event.end.last) this.#finish(root);
    }
  }

  #finish(root: string): void {
    this.#running.delete(root);
    this.#options.database.release(root, () => closeSpool(this.#folder(root)));
    for (const resolve of this.#ended.get(root) ?? []) resolve();
    this.#ended.delete(root);
    this.#startWaiting();
  }

  #endUnstarted(root: string, reason: string): void {
    const record = this.#options.database.edit(root);
    if (record) recordLost(record, 0, reason);
    this.forget(root);
    this.#finish(root);
  }

  /** Goes on with a job that this server has not started itself. */
  #takeUp(root: string, state: SpoolState, isRunning: boolean): void {
    this.#poller.catchUp(root, state);
    const newest = state.parts.at(-1);
    if (newest?.end?.last) this.#finish(root);
    else if (isRunning) this.#running.set(root, state.request);
    else if (newest?.start && newest.end === undefined) {
      this.#running.set(root, state.request);
      void this.#watchAdopted(root, state, newest.start);
    } else {
      this.#waiting.set(root, state.request);
      this.#startWaiting();
    }
  }

  /** Waits for a process whose runner is gone. Its exit code is gone with it. */
  async #watchAdopted(root: string, state: SpoolState, start: PartStart): Promise<void> {
    const adopted: { readonly start: PartStart; killed?: KillRequest } = { start };
    this.#adopted.set(root, adopted);
    const endWatch = watchTimeLimit(state, (request) => void this.kill(root, request));
    while (isAlive(start)) {
      await sleep(ADOPTED_POLL_MS, undefined, { ref: false });
      if (this.#closed) break;
    }
    endWatch();
    if (this.#closed) return;
    this.#adopted.delete(root);
    const { killed } = adopted;
    const reason = killed
      ? `${killed.cause} (${killed.signal}), unseen: the process that watched it had gone`
      : 'the process that watched it ended before it did (killed, or the machine went down)';
    const count = state.parts.length;
    this.#poller.partEnded(root, count - 1, {
      endedAt: preciseNow(),
      returncode: null,
      cause: reason,
      last: false,
    });
    const record = this.#options.database.edit(root);
    if (record) recordLost(record, count, reason);
    this.#finish(root);
  }

  /** Records that have not ended and have no spool: written by the original, or their spool was removed. */
  #closeOrphans(): void {
    const { database } = this.#options;
    for (const root of database.unfinished()) {
      if (this.isActive(root)) continue;
      const tree = database.tree(root);
      const record = database.edit(root);
      if (tree === undefined || record === undefined || tree.children.has('container')) continue;
      if (!isDone(tree)) {
        recordLost(record, progressOf(tree).started.length, 'nothing is left that ran it');
      }
      database.release(root);
    }
  }

  #onRunnerLost(): void {
    if (this.#closed) return;
    this.#options.log.warn('the runner has gone; looking after its jobs');
    for (const root of [...this.#running.keys()]) {
      const state = readSpool(this.#folder(root));
      if (state === undefined) continue;
      this.#running.delete(root);
      this.#takeUp(root, state, false);
    }
  }
}

/** The sub-jobs of a command line. The parser is loaded for lines that need it: most do not. */
async function partsOf(cmd: string): Promise<readonly string[]> {
  if (!cmd.includes(';')) return [cmd];
  const { splitCommandLine } = await import('../../crunner/split.ts');
  const parts = splitCommandLine(cmd);
  return parts.length > MAX_SUB_JOBS ? [cmd] : parts;
}

function spoolNames(spool: string): readonly string[] {
  return readdirSync(spool).filter(isJobRoot).sort();
}
