import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemErrorCode } from '../lib/errors.ts';
import { preciseNow, type RunningPart, signalGroup, startPart } from './part.ts';
import { type PartEnd, type PartStart, partFiles, readSpool, writeRecord } from './spool.ts';

/** What a runner tells about its jobs. Whatever it says is in the spool folder already. */
export type RunnerEvent =
  | {
      readonly kind: 'start';
      readonly folder: string;
      readonly part: number;
      readonly start: PartStart;
    }
  | { readonly kind: 'end'; readonly folder: string; readonly part: number; readonly end: PartEnd };

export interface KillRequest {
  readonly signal: NodeJS.Signals;
  /** How long to wait before SIGKILL ends what is left of the process group, in milliseconds. */
  readonly graceMs: number;
  /** Who asked for it, for the record. */
  readonly by: string;
}

interface RunningJob {
  current?: RunningPart | undefined;
  killed?: KillRequest;
}

/** The exit code of a shell that cannot start a program; used when not even the shell could be started. */
const CANNOT_START = 127;

/** How often a process group that was told to end is looked at, in milliseconds. */
const GROUP_POLL_MS = 20;

/** How long to wait before a refused record is written again, in milliseconds. */
const RETRY_MS = 500;

/** Runs the jobs of spool folders, each one's parts in order, and writes down how each part started and ended. */
export class Runner {
  readonly #jobs = new Map<string, RunningJob>();
  readonly #tell: (event: RunnerEvent) => void;

  constructor(tell: (event: RunnerEvent) => void) {
    this.#tell = tell;
  }

  /** Spool folders of the jobs that run now. */
  get running(): readonly string[] {
    return [...this.#jobs.keys()];
  }

  /**
   * Runs the parts of a job that have not started yet; resolves when the last one has ended. A job that runs
   * already, or whose last part is in the spool, is left alone.
   */
  async run(folder: string): Promise<void> {
    if (this.#jobs.has(folder)) return;
    const state = readSpool(folder);
    if (state === undefined) return;
    const { request, parts: begun } = state;
    if (begun.at(-1)?.end?.last) return;
    const job: RunningJob = {};
    this.#jobs.set(folder, job);
    try {
      for (const [k, command] of request.parts.entries()) {
        if (k < begun.length) continue;
        await this.#runPart(folder, job, k, command, {
          isFinal: k === request.parts.length - 1,
          ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
          ...(request.env === undefined ? {} : { env: request.env }),
        });
        if (job.killed) break;
      }
    } finally {
      this.#jobs.delete(folder);
    }
  }

  /**
   * Ends a job: the signal to the whole process group of its running part, SIGKILL to what is left of it after
   * the grace, no further part. Says whether the job was running here.
   */
  kill(folder: string, request: KillRequest): boolean {
    const job = this.#jobs.get(folder);
    if (job === undefined) return false;
    job.killed = request;
    if (job.current) void this.#end(job.current, request);
    return true;
  }

  async #runPart(
    folder: string,
    job: RunningJob,
    k: number,
    command: string,
    {
      isFinal,
      ...place
    }: { isFinal: boolean; cwd?: string; env?: Readonly<Record<string, string>> },
  ): Promise<void> {
    const files = partFiles(folder, k);
    let part: RunningPart;
    try {
      part = await startPart({
        command,
        out: files.out,
        err: files.err,
        script: `${files.out}.sh`,
        ...place,
      });
    } catch (error) {
      const now = preciseNow();
      await this.#started(folder, k, { pid: 0, startedAt: now });
      await this.#ended(folder, k, {
        endedAt: now,
        returncode: CANNOT_START,
        cause: `could not be started: ${messageOf(error)}`,
        last: isFinal,
      });
      return;
    }
    const { pid, startedAt, ticks } = part;
    job.current = part;
    await this.#started(folder, k, { pid, startedAt, ...(ticks === undefined ? {} : { ticks }) });
    if (job.killed) void this.#end(part, job.killed);
    const { returncode } = await part.ended;
    const endedAt = preciseNow();
    job.current = undefined;
    const { killed } = job;
    const end = { endedAt, returncode, last: isFinal || killed !== undefined };
    const cause = killed && { cause: `ended by ${killed.by} (${killed.signal})` };
    await this.#ended(folder, k, { ...end, ...cause });
    // Killed while the disk refused the record of this end: no other part will close the job.
    if (job.killed && !end.last) await this.#ended(folder, k, { ...end, last: true });
  }

  /** Signals the group of a part, and kills what is left of it after the grace: its shell, or a child of that. */
  async #end(part: RunningPart, { signal, graceMs }: KillRequest): Promise<void> {
    const deadline = performance.now() + graceMs;
    try {
      signalGroup(part.pid, signal);
      while (signalGroup(part.pid, 0)) {
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) {
          signalGroup(part.pid, 'SIGKILL');
          return;
        }
        await sleep(Math.min(leftMs, GROUP_POLL_MS));
      }
    } catch (error) {
      // A part may have become another user's, who does not take our signals. The other jobs go on.
      console.error(`cannot end process group ${part.pid}: ${messageOf(error)}`);
    }
  }

  async #started(folder: string, part: number, start: PartStart): Promise<void> {
    await persist(partFiles(folder, part).start, start);
    this.#tell({ kind: 'start', folder, part, start });
  }

  async #ended(folder: string, part: number, end: PartEnd): Promise<void> {
    await persist(partFiles(folder, part).end, end);
    this.#tell({ kind: 'end', folder, part, end });
  }
}

/** Writes a record, again and again while the disk refuses it: how a part ended is not to be had twice. */
async function persist(file: string, record: PartStart | PartEnd): Promise<void> {
  for (;;) {
    try {
      writeRecord(file, record);
      return;
    } catch (error) {
      // The spool folder was removed: nobody wants to know any more.
      if (systemErrorCode(error) === 'ENOENT') return;
      console.error(`${file}: ${messageOf(error)}`);
      await sleep(RETRY_MS);
    }
  }
}
