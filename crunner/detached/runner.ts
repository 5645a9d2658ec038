import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { preciseNow } from '../../lib/host/clock.ts';
import type { KillRequest } from '../job/killRequest.ts';
import { overrunCause } from '../job/outputLimit.ts';
import { timeLimit } from '../job/timeLimit.ts';
import { SSH_FAILED, SshError } from '../ssh/ssh.ts';
import { sweepGroups } from './confinement.ts';
import { JobRoom, jobsByOpenFiles } from './jobRoom.ts';
import { isOver, type SpoolState } from './journal.ts';
import { keeperOfThisSystem, type OpenKeeper, OutputKeepers } from './outputKeepers.ts';
import type { DetachedPart } from './part.ts';
import { followPart, type PartWriters, startOf } from './partFollow.ts';
import { startJobPart } from './partStart.ts';
import { takeOverPart } from './partTakeover.ts';
import type { RunnerEvent } from './runnerEvent.ts';
import { RunnerJournal } from './runnerJournal.ts';
import { endPart, marksOf, type RunningJob } from './runningJob.ts';
import { placeNow, readSpool } from './spool.ts';
import type { SshPart } from './sshFollow.ts';

/** The exit code of a shell that cannot start a program; used when not even the shell could be started. */
const CANNOT_START = 127;

/** How long a job that writes too much has before SIGKILL, in milliseconds. */
const FULL_GRACE_MS = 5000;

/** Runs the jobs of spool folders, each one's parts in order, and writes down how each part started and ended. */
export class Runner {
  readonly #jobs = new Map<string, RunningJob>();
  readonly #writers: PartWriters;
  readonly #room: JobRoom;

  /**
   * @param openKeeper who writes what parts say; default: the best way that this system has
   * @param mostJobs how many run at once; default: as many as the open files of this process allow
   */
  constructor(
    tell: (event: RunnerEvent) => void,
    openKeeper: OpenKeeper = keeperOfThisSystem,
    mostJobs = jobsByOpenFiles(),
  ) {
    this.#room = new JobRoom(mostJobs);
    this.#writers = {
      keepers: new OutputKeepers(openKeeper, (part, stream) => this.#endFull(part, stream)),
      journal: new RunnerJournal(tell),
      endFull: (part, stream) => this.#endFull(part, stream),
    };
  }

  /** Whether any job runs now. */
  get isBusy(): boolean {
    return this.#jobs.size > 0;
  }

  /**
   * Runs the parts of a job that have not started yet; resolves when the last one has ended. A job that runs
   * already, or whose last part is in the spool, is left alone; of one that a runner which is gone has begun, the
   * part that runs is watched to its end. How it ended can be known when it runs on another host; else no further one
   * is run.
   */
  async run(folder: string): Promise<void> {
    if (this.#jobs.has(folder)) return;
    const state = readSpool(placeNow(folder));
    if (state === undefined || isOver(state)) return;
    const { request, parts: begun, kill } = state;
    // An order to end it may have died with the runner that had it.
    const job: RunningJob = { folder, request, ...(kill === undefined ? {} : { killed: kill }) };
    this.#jobs.set(folder, job);
    const isIn = await this.#enter(job, begun.length > 0);
    const endWatch = watchTimeLimit(state, (kill) => this.kill(folder, kill));
    try {
      if (!isIn) {
        await this.#writers.journal.dropped(job, `${job.killed?.cause} before it started`);
        return;
      }
      let next = await takeOverPart(job, begun, this.#writers);
      if (next !== undefined && kill !== undefined) {
        const when = begun.length === 0 ? 'before it started' : 'between two of its parts';
        await this.#writers.journal.dropped(job, `${kill.cause} ${when}`);
        return;
      }
      while (next !== undefined && next < request.parts.length && !job.killed) {
        next = await this.#runPart(job, next);
      }
    } finally {
      endWatch();
      this.#jobs.delete(folder);
      if (isIn) this.#room.leave();
      if (job.confinement?.group !== undefined) this.sweep(dirname(folder));
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
    job.stopWaiting?.();
    if (job.current !== undefined) endPart(job, request);
    return true;
  }

  /** Sends a signal to the running part of a job, which goes on. */
  pass(folder: string, signal: NodeJS.Signals): void {
    const job = this.#jobs.get(folder);
    if (job !== undefined) job.current?.pass(signal, marksOf(job));
  }

  /** Removes the control groups of the jobs of a spool that have ended. */
  sweep(spool: string): void {
    sweepGroups(spool, (root) => this.#jobs.has(join(spool, root)));
  }

  /** Waits until the open files of this process allow one more job; false for one that is ended before that. */
  async #enter(job: RunningJob, hasBegun: boolean): Promise<boolean> {
    if (hasBegun || job.killed !== undefined) {
      this.#room.enterAnyway();
      return true;
    }
    const isIn = await this.#room.enter((stop) => {
      job.stopWaiting = stop;
    });
    delete job.stopWaiting;
    return isIn;
  }

  /** Ends a job of which a part has written more than it may. */
  #endFull(part: string, stream: string): void {
    const limit = this.#jobs.get(dirname(part))?.request.limits?.maxOutputBytes;
    const cause = overrunCause(limit, stream, basename(part));
    this.kill(dirname(part), { signal: 'SIGTERM', graceMs: FULL_GRACE_MS, cause });
  }

  /** Resolves to the next part to run, if one is. */
  async #runPart(job: RunningJob, k: number): Promise<number | undefined> {
    const { keepers, journal } = this.#writers;
    let part: DetachedPart | SshPart;
    try {
      part = await startJobPart(job, k, keepers);
    } catch (error) {
      const isOverSsh = job.request.ssh !== undefined;
      const isFinal = isOverSsh || k === job.request.parts.length - 1 || job.killed !== undefined;
      const now = preciseNow();
      await journal.started(job, k, { pid: 0, startedAt: now });
      const isByHost = error instanceof SshError;
      const order = job.killed === undefined ? '' : `${job.killed.cause}; `;
      const cause = `${order}${isByHost ? 'not run' : 'could not be started'}: ${messageOf(error)}`;
      const returncode = isByHost ? SSH_FAILED : CANNOT_START;
      await journal.ended(job, k, { endedAt: now, returncode, cause, last: isFinal });
      return isFinal ? undefined : k + 1;
    }
    await journal.started(job, k, startOf(part, job));
    return followPart(job, k, part, this.#writers);
  }
}

/** The time of a job that has a limit counts from the start of its first part, also when another runner saw that. */
function watchTimeLimit({ request, parts }: SpoolState, atLimit: (order: KillRequest) => void) {
  const { timeoutMs } = request.limits ?? {};
  if (timeoutMs === undefined) return () => undefined;
  return timeLimit(parts[0]?.start?.startedAt ?? preciseNow(), timeoutMs, atLimit);
}
