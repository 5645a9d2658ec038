import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, preciseNow } from '../../crunner/part.ts';
import type { KillRequest, RunnerEvent } from '../../crunner/runner.ts';
import { RunnerClient } from '../../crunner/runnerClient.ts';
import { splitCommandLine } from '../../crunner/split.ts';
import {
  createSpool,
  type PartEnd,
  partFiles,
  readOutput,
  readSpool,
  type SpoolState,
} from '../../crunner/spool.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isJobRoot } from '../tree/paths.ts';
import type { JsonObject } from '../wire/json.ts';
import type { JobDatabase } from './database.ts';
import { hostFacts } from './hostFacts.ts';
import { isDone, progressOf } from './progress.ts';
import {
  type NewJob,
  newRecord,
  recordDone,
  recordEnd,
  recordLost,
  recordStart,
} from './record.ts';
import { newJobRoot } from './stamps.ts';

export interface HostJobsOptions {
  readonly database: JobDatabase;
  /** The folder of the spool folders, one for each job. */
  readonly spool: string;
  /** How many jobs run at once; the others wait in order. */
  readonly maxJobs: number;
  /** How much of each output a record holds, in bytes. */
  readonly outputLimitBytes: number;
  readonly log: Logger;
}

/** What the spool folder of a host job says about its owner. */
interface SpoolOwner {
  readonly job: NewJob;
  readonly host: JsonObject;
}

/** More sub-jobs than this are run as one: a record repeats all earlier entries in each epoch. */
const MAX_SUB_JOBS = 64;
/** How often the process of a job without a runner is looked at, in milliseconds. */
const ADOPTED_POLL_MS = 250;

/**
 * The jobs that run on this host: takes them in, has the runner run them, and writes what it tells into their
 * records.
 */
export class HostJobs {
  readonly #options: HostJobsOptions;
  readonly #runner: RunnerClient;
  readonly #host = hostFacts();
  /** Jobs that have been accepted and not handed to the runner, in order. */
  readonly #waiting: string[] = [];
  /** Jobs that have been handed to the runner and not ended. */
  readonly #running = new Set<string>();
  readonly #ended = new Map<string, Array<() => void>>();
  #closed = false;

  constructor(options: HostJobsOptions) {
    this.#options = options;
    this.#runner = new RunnerClient({
      spool: options.spool,
      log: options.log,
      onEvent: (event) => this.#onEvent(event),
      onLost: () => this.#onRunnerLost(),
    });
  }

  /**
   * Accepts a job. When it returns, the job is on the disk and will run.
   * @returns the name of its job root
   * @throws PmanError storage when the disk does not take it
   */
  submit(job: NewJob): string {
    const root = newJobRoot(preciseNow());
    const parts = splitCommandLine(job.cmd);
    const owner: SpoolOwner = { job, host: this.#host };
    try {
      createSpool(this.#folder(root), {
        parts: parts.length > MAX_SUB_JOBS ? [job.cmd] : parts,
        owner,
      });
    } catch (error) {
      rmSync(this.#folder(root), { recursive: true, force: true });
      throw new PmanError('storage', `the job cannot be stored: ${messageOf(error)}`, {
        hint: 'it was not accepted; send it again when the disk has room',
        cause: error,
      });
    }
    this.#options.database.add(root, newRecord(job));
    this.#waiting.push(root);
    this.#startWaiting();
    return root;
  }

  /** Resolves when the job has ended; at once when it has, or is none of this host's. */
  async ended(root: string): Promise<void> {
    if (!this.#running.has(root) && !this.#waiting.includes(root)) return;
    await new Promise<void>((resolve) => {
      this.#ended.set(root, [...(this.#ended.get(root) ?? []), resolve]);
    });
  }

  /** Ends a job; says whether there was anything to end. Its record stays and says who ended it. */
  async kill(root: string, request: KillRequest): Promise<boolean> {
    const place = this.#waiting.indexOf(root);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      this.#endUnstarted(root, `ended by ${request.by} before it started`);
      return true;
    }
    if (!this.#running.has(root)) return false;
    await this.#runner.kill(this.#folder(root), request);
    return true;
  }

  /** Removes what the spool keeps of a job that has ended. */
  forget(root: string): void {
    rmSync(this.#folder(root), { recursive: true, force: true });
  }

  /** Whether a job waits or runs. */
  isActive(root: string): boolean {
    return this.#running.has(root) || this.#waiting.includes(root);
  }

  /** The whole output of a sub-job as files, in order: `.out` and `.err`. */
  outputFiles(root: string, part: number): { readonly out: string; readonly err: string } {
    return partFiles(this.#folder(root), part);
  }

  /** Finds the jobs that an earlier server left: goes on watching them, or writes down how they ended. */
  async recover(): Promise<void> {
    const running = new Set(await this.#runner.find());
    for (const root of spoolNames(this.#options.spool)) {
      const record = this.#options.database.tree(root);
      if (record !== undefined && isDone(record)) continue;
      const state = readSpool(this.#folder(root));
      if (state === undefined) {
        this.forget(root); // it was never accepted
        continue;
      }
      if (record === undefined) {
        this.#options.database.add(root, newRecord((state.request.owner as SpoolOwner).job));
      }
      this.#options.database.hold(root);
      if (running.has(this.#folder(root))) this.#running.add(root);
      this.#catchUp(root, state);
      if (!running.has(this.#folder(root))) this.#resume(root, state);
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
      const root = this.#waiting.shift();
      if (root === undefined) return;
      this.#running.add(root);
      this.#runner.run(this.#folder(root)).catch((error: unknown) => {
        this.#endUnstarted(root, messageOf(error));
      });
    }
  }

  #onEvent(event: RunnerEvent): void {
    const root = event.folder.slice(this.#options.spool.length + 1);
    const record = this.#options.database.edit(root);
    if (record === undefined) return; // a job of a record that was removed
    const state = readSpool(event.folder);
    if (state === undefined) return;
    if (event.kind === 'start') {
      const { job: _, host } = state.request.owner as SpoolOwner;
      const cmd = state.request.parts[event.part] ?? '';
      recordStart(record, event.part, { cmd, host, ...event.start });
    } else this.#writeEnd(root, event.part, event.end);
  }

  #writeEnd(root: string, part: number, end: PartEnd): void {
    const record = this.#options.database.edit(root);
    if (record === undefined) return;
    const files = partFiles(this.#folder(root), part);
    const limit = this.#options.outputLimitBytes;
    recordEnd(record, part, {
      endedAt: end.endedAt,
      returncode: end.returncode,
      stdout: readOutput(files.out, limit).text,
      stderr: readOutput(files.err, limit).text,
      ...(end.cause === undefined ? {} : { cause: end.cause }),
    });
    if (!end.last) return;
    recordDone(record, part + 1);
    this.#finish(root);
  }

  #finish(root: string): void {
    this.#running.delete(root);
    this.#options.database.release(root);
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

  /** Writes into the record what the spool knows and the record does not. */
  #catchUp(root: string, { request, parts }: SpoolState): void {
    const record = this.#options.database.edit(root);
    const tree = this.#options.database.tree(root);
    if (record === undefined || tree === undefined) return;
    const { host } = request.owner as SpoolOwner;
    for (const [k, { start, end }] of parts.entries()) {
      const known = progressOf(tree);
      if (start && known.started.length <= k) {
        recordStart(record, k, { cmd: request.parts[k] ?? '', host, ...start });
      }
      if (end && (known.returncodes.length <= k || end.last)) this.#writeEnd(root, k, end);
    }
  }

  /** Goes on with a job that no runner runs. */
  #resume(root: string, { parts }: SpoolState): void {
    const newest = parts.at(-1);
    if (newest?.end?.last) return;
    if (newest?.start && newest.end === undefined) {
      this.#running.add(root);
      void this.#watchAdopted(root, parts.length, newest.start);
      return;
    }
    this.#waiting.push(root);
    this.#startWaiting();
  }

  /** Waits for a process whose runner is gone. Its exit code is gone with it. */
  async #watchAdopted(
    root: string,
    count: number,
    start: Parameters<typeof isAlive>[0],
  ): Promise<void> {
    while (isAlive(start)) {
      await sleep(ADOPTED_POLL_MS, undefined, { ref: false });
      if (this.#closed) return;
    }
    const reason =
      'the process that watched it ended before it did (killed, or the machine went down)';
    this.#writeEnd(root, count - 1, {
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
    for (const root of database.roots()) {
      if (this.isActive(root)) continue;
      const tree = database.tree(root);
      if (tree === undefined || isDone(tree) || tree.children.has('container')) continue;
      const record = database.edit(root);
      if (record === undefined) continue;
      recordLost(record, progressOf(tree).started.length, 'nothing is left that ran it');
    }
  }

  #onRunnerLost(): void {
    if (this.#closed) return;
    this.#options.log.warn('the runner has gone; looking after its jobs');
    for (const root of [...this.#running]) {
      const state = readSpool(this.#folder(root));
      if (state === undefined) continue;
      this.#running.delete(root);
      this.#catchUp(root, state);
      if (!this.#isClosed(root)) this.#resume(root, state);
    }
  }

  #isClosed(root: string): boolean {
    const tree = this.#options.database.tree(root);
    return tree === undefined || isDone(tree);
  }
}

function spoolNames(spool: string): readonly string[] {
  return readdirSync(spool).filter(isJobRoot).sort();
}
