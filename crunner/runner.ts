import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemErrorCode } from '../lib/errors.ts';
import { findUnwrittenStart } from './orphan.ts';
import { OutputLog } from './outputLog.ts';
import { type PartExit, type RunningPart, startPart } from './part.ts';
import { endGroup, isAlive, preciseNow } from './processes.ts';
import {
  type KillRequest,
  type PartEnd,
  type PartStart,
  partFiles,
  readSpool,
  type SpoolPart,
  type SpoolRequest,
  writeLine,
} from './spool.ts';
import { watchTimeLimit } from './timeLimit.ts';

/** What a runner tells about its jobs. Whatever it says is in the spool folder already. */
export type RunnerEvent =
  | {
      readonly kind: 'start';
      readonly folder: string;
      readonly part: number;
      readonly start: PartStart;
    }
  | { readonly kind: 'end'; readonly folder: string; readonly part: number; readonly end: PartEnd };

interface RunningJob {
  readonly folder: string;
  readonly request: SpoolRequest;
  current?: Pick<RunningPart, 'pid'> | undefined;
  killed?: KillRequest;
}

/** The exit code of a shell that cannot start a program; used when not even the shell could be started. */
const CANNOT_START = 127;

/** How long to wait before a refused line is written again, in milliseconds. */
const RETRY_MS = 500;

/** How often the process of a part is looked at whose runner is gone, in milliseconds. */
const ORPHAN_POLL_MS = 250;

/** Runs the jobs of spool folders, each one's parts in order, and writes down how each part started and ended. */
export class Runner {
  readonly #jobs = new Map<string, RunningJob>();
  readonly #tell: (event: RunnerEvent) => void;

  constructor(tell: (event: RunnerEvent) => void) {
    this.#tell = tell;
  }

  /** Whether any job runs now. */
  get isBusy(): boolean {
    return this.#jobs.size > 0;
  }

  /**
   * Runs the parts of a job that have not started yet; resolves when the last one has ended. A job that runs
   * already, or whose last part is in the spool, is left alone; of one that a runner which is gone has begun, the
   * part that runs is watched to its end and no further one is run: how it ended cannot be known.
   */
  async run(folder: string): Promise<void> {
    if (this.#jobs.has(folder)) return;
    const state = readSpool(folder);
    if (state === undefined) return;
    const { request, parts: begun, kill } = state;
    if (state.dropped !== undefined || begun.at(-1)?.end?.last) return;
    // An order to end it may have died with the runner that had it.
    const job: RunningJob = { folder, request, ...(kill === undefined ? {} : { killed: kill }) };
    this.#jobs.set(folder, job);
    const endWatch = watchTimeLimit(state, (kill) => this.kill(folder, kill));
    try {
      if (await this.#outlive(job, begun)) return;
      if (kill !== undefined) {
        const when = begun.length === 0 ? 'before it started' : 'between two of its parts';
        await persist(folder, { dropped: `${kill.cause} ${when}` }, request);
        return;
      }
      for (let k = begun.length; k < request.parts.length && !job.killed; k += 1) {
        await this.#runPart(job, k);
      }
    } finally {
      endWatch();
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
    if (job.current) void endGroup(job.current.pid, request.signal, request.graceMs);
    return true;
  }

  /** Watches the part that another runner has begun, if it has; says whether there was one. */
  async #outlive(job: RunningJob, begun: readonly SpoolPart[]): Promise<boolean> {
    const newest = begun.at(-1);
    const isWritten = newest?.start !== undefined && newest.end === undefined;
    const part = isWritten ? begun.length - 1 : begun.length;
    const start = isWritten ? newest.start : findUnwrittenStart(job.folder, part);
    if (start === undefined) return false;
    if (start.pid > 0) job.current = start;
    if (job.killed && isAlive(start)) {
      void endGroup(start.pid, job.killed.signal, job.killed.graceMs);
    }
    if (!isWritten) await this.#started(job, part, start);
    while (isAlive(start)) await sleep(ORPHAN_POLL_MS);
    job.current = undefined;
    // A runner that could not be found may have seen its end.
    const seen = readSpool(job.folder)?.parts[part]?.end;
    if (seen?.last) {
      this.#tell({ kind: 'end', folder: job.folder, part, end: seen });
      return true;
    }
    const { killed } = job;
    const cause = killed
      ? `${killed.cause} (${killed.signal}), unseen: the process that watched it had gone`
      : 'the process that watched it ended before it did (killed, or the machine went down)';
    await this.#ended(job, part, { endedAt: preciseNow(), returncode: null, cause, last: true });
    return true;
  }

  async #runPart(job: RunningJob, k: number): Promise<void> {
    const { folder, request } = job;
    const { out, err } = partFiles(folder, k);
    const isFinal = k === request.parts.length - 1;
    let part: RunningPart;
    try {
      const command = request.parts[k] ?? '';
      const limits = request.limits ?? {};
      part = await startPart({ command, out, err, script: `${out}.sh`, limits });
    } catch (error) {
      const now = preciseNow();
      await this.#started(job, k, { pid: 0, startedAt: now });
      const cause = `could not be started: ${messageOf(error)}`;
      await this.#ended(job, k, { endedAt: now, returncode: CANNOT_START, cause, last: isFinal });
      return;
    }
    const { pid, startedAt, ticks, ended } = part;
    job.current = part;
    const log = new OutputLog(folder, k);
    await this.#started(job, k, { pid, startedAt, ...(ticks === undefined ? {} : { ticks }) });
    if (job.killed) void endGroup(pid, job.killed.signal, job.killed.graceMs);
    const exit = await ended;
    const endedAt = preciseNow();
    log.close();
    job.current = undefined;
    const cause = causeOf(job, exit);
    const end = {
      endedAt,
      returncode: exit.returncode,
      ...(cause === undefined ? {} : { cause }),
      usage: { wall_seconds: Math.round((endedAt - startedAt) * 1000) / 1e6, ...exit.usage },
      last: isFinal || job.killed !== undefined,
    };
    await this.#ended(job, k, end);
    // Killed while the disk refused the record of this end: no other part will close the job.
    if (job.killed && !end.last) await this.#ended(job, k, { ...end, last: true });
  }

  async #started({ folder, request }: RunningJob, part: number, start: PartStart): Promise<void> {
    await persist(folder, { part, start }, request);
    this.#tell({ kind: 'start', folder, part, start });
  }

  async #ended({ folder, request }: RunningJob, part: number, end: PartEnd): Promise<void> {
    await persist(folder, { part, end }, request);
    this.#tell({ kind: 'end', folder, part, end });
  }
}

/** In words, why a part ended, when it was not by itself. */
function causeOf({ killed }: RunningJob, { returncode }: PartExit): string | undefined {
  const name = returncode < 0 ? signalName(-returncode) : undefined;
  if (killed) return `${killed.cause} (${name ?? killed.signal})`;
  return name === undefined ? undefined : `killed by ${name}`;
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}

/** Writes a line, again and again while the disk refuses it: how a part ended is not to be had twice. */
async function persist(
  folder: string,
  line: Parameters<typeof writeLine>[1],
  { fsync = false }: SpoolRequest,
): Promise<void> {
  for (;;) {
    try {
      writeLine(folder, line, fsync);
      return;
    } catch (error) {
      // The spool folder was removed: nobody wants to know any more.
      if (systemErrorCode(error) === 'ENOENT') return;
      console.error(`${folder}: ${messageOf(error)}`);
      await sleep(RETRY_MS);
    }
  }
}
