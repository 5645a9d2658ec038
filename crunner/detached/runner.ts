import { rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTemporary, messageOf, systemErrorCode } from '../../lib/errors.ts';
import { preciseNow } from '../../lib/host/clock.ts';
import { type GroupEvents, groupEvents } from '../../lib/host/controlGroups.ts';
import { isAlive } from '../../lib/host/processes.ts';
import {
  endTree,
  type LeftProcess,
  signalTree,
  type TreeMarks,
} from '../../lib/host/processTree.ts';
import { jobMark } from '../job/jobMark.ts';
import type { KillRequest } from '../job/killRequest.ts';
import { timeLimit } from '../job/timeLimit.ts';
import { SSH_FAILED, SshError } from '../ssh/ssh.ts';
import { type Confinement, confine, freely, groupOf, sweepGroups } from './confinement.ts';
import { endCause, leftWords, limitCause } from './endCause.ts';
import {
  isOver,
  type PartEnd,
  type PartStart,
  type SpoolPart,
  type SpoolRequest,
  type SpoolState,
} from './journal.ts';
import { findUnwrittenStart } from './orphan.ts';
import type { OnFull, OutputKeeper } from './outputKeeper.ts';
import { OutputWatch } from './outputLog.ts';
import { type DetachedPart, startPart } from './part.ts';
import type { RunnerEvent } from './runnerEvent.ts';
import { partFiles, partName, readSpool, stdinFile, writeLine } from './spool.ts';
import type { SshPart } from './sshFollow.ts';
import { thisSystem } from './system.ts';

type OpenKeeper = (spool: string, onFull: OnFull) => OutputKeeper | Promise<OutputKeeper>;

async function keeperOfThisSystem(spool: string, onFull: OnFull): Promise<OutputKeeper> {
  return (await thisSystem()).keeper(spool, onFull);
}

interface RunningJob {
  readonly folder: string;
  readonly request: SpoolRequest;
  current?: Pick<DetachedPart, 'end' | 'pass'> | undefined;
  killed?: KillRequest;
  /** Resolves when all of it has been ended that could be, to what could not. */
  ending?: Promise<readonly LeftProcess[]>;
  /** What its running part writes to, as /proc names it. */
  pipes?: readonly string[];
  /** Made with its first part. */
  confinement?: Confinement;
  /** What was counted in its control group so far. */
  events?: GroupEvents;
}

/** The exit code of a shell that cannot start a program; used when not even the shell could be started. */
const CANNOT_START = 127;

/** How long to wait before a refused line is written again, in milliseconds. */
const RETRY_MS = 500;

/** How long a part that cannot be started for want of processes or files is tried again, in milliseconds. */
const PATIENCE_MS = 60_000;

/** How long a job that writes too much has before SIGKILL, in milliseconds. */
const FULL_GRACE_MS = 5000;

/** How often the process of a part is looked at whose runner is gone, in milliseconds. */
const ORPHAN_POLL_MS = 250;

/** Runs the jobs of spool folders, each one's parts in order, and writes down how each part started and ended. */
export class Runner {
  readonly #jobs = new Map<string, RunningJob>();
  readonly #tell: (event: RunnerEvent) => void;
  readonly #openKeeper: OpenKeeper;
  /** By folder of spool folders: one for all jobs of a server. */
  readonly #keepers = new Map<string, Promise<OutputKeeper>>();

  /** @param openKeeper who writes what parts say; default: the best way that this system has */
  constructor(tell: (event: RunnerEvent) => void, openKeeper: OpenKeeper = keeperOfThisSystem) {
    this.#tell = tell;
    this.#openKeeper = openKeeper;
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
    const state = readSpool(folder);
    if (state === undefined || isOver(state)) return;
    const { request, parts: begun, kill } = state;
    // An order to end it may have died with the runner that had it.
    const job: RunningJob = { folder, request, ...(kill === undefined ? {} : { killed: kill }) };
    this.#jobs.set(folder, job);
    const endWatch = watchTimeLimit(state, (kill) => this.kill(folder, kill));
    try {
      let next = await this.#outlive(job, begun);
      if (next !== undefined && kill !== undefined) {
        const when = begun.length === 0 ? 'before it started' : 'between two of its parts';
        await persist(folder, { dropped: `${kill.cause} ${when}` }, request);
        return;
      }
      while (next !== undefined && next < request.parts.length && !job.killed) {
        next = await this.#runPart(job, next);
      }
    } finally {
      endWatch();
      this.#jobs.delete(folder);
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

  #keeperOf(folder: string): Promise<OutputKeeper> {
    const spool = dirname(folder);
    const known = this.#keepers.get(spool);
    if (known !== undefined) return known;
    const onFull: OnFull = (part, stream) => {
      const limit = this.#jobs.get(dirname(part))?.request.limits?.maxOutputBytes;
      const cause = `more than ${limit} bytes on ${stream} of sub-job ${basename(part)}`;
      this.kill(dirname(part), { signal: 'SIGTERM', graceMs: FULL_GRACE_MS, cause });
    };
    const keeper = Promise.resolve(this.#openKeeper(spool, onFull));
    this.#keepers.set(spool, keeper);
    return keeper;
  }

  /** Watches the part that another runner has begun, if it has; resolves to the next part to run, if one is. */
  async #outlive(job: RunningJob, begun: readonly SpoolPart[]): Promise<number | undefined> {
    const newest = begun.at(-1);
    const isWritten = newest?.start !== undefined && newest.end === undefined;
    const part = isWritten ? begun.length - 1 : begun.length;
    const name = partName(job.folder, part);
    const pipes = async () => (await this.#keeperOf(job.folder)).pipesOf(name);
    const { out } = partFiles(job.folder, part);
    const start = isWritten ? newest.start : await findUnwrittenStart(out, pipes);
    if (start === undefined) return begun.length;
    if (!isWritten) await this.#started(job, part, start);
    const overSsh = await resumeOverSsh(job, part, start);
    if (overSsh !== undefined) return this.#follow(job, part, overSsh);
    const { pid, group = groupOf(job.folder) } = start;
    const keeper = await this.#keeperOf(job.folder);
    if (group !== undefined) job.confinement = { ...freely({}), group };
    if (isAlive(start)) {
      hold(job, {
        end: (signal, graceMs, marks) => endTree(pid, signal, graceMs, marks),
        pass: (signal, marks) => signalTree(pid, signal, marks),
      });
      await keeper.adopt(name, pid, { maxBytes: job.request.limits?.maxOutputBytes });
      job.pipes = await keeper.pipesOf(name);
    }
    while (isAlive(start)) await sleep(ORPHAN_POLL_MS);
    const left = await job.ending;
    await keeper.settle(name);
    job.current = undefined;
    // A runner that could not be found may have seen its end.
    const seen = readSpool(job.folder)?.parts[part]?.end;
    if (seen?.last) {
      this.#tell({ kind: 'end', folder: job.folder, part, end: seen });
      return undefined;
    }
    const { killed } = job;
    const cause = killed
      ? `${killed.cause} (${killed.signal}), unseen: the process that watched it had gone${leftWords(left)}`
      : 'the process that watched it ended before it did (killed, or the machine went down)';
    await this.#ended(job, part, { endedAt: preciseNow(), returncode: null, cause, last: true });
    return undefined;
  }

  /** Resolves to the next part to run, if one is. */
  async #runPart(job: RunningJob, k: number): Promise<number | undefined> {
    let part: DetachedPart | SshPart;
    try {
      part = await startPatiently(job, () => this.#startPart(job, k));
    } catch (error) {
      const isOverSsh = job.request.ssh !== undefined;
      const isFinal = isOverSsh || k === job.request.parts.length - 1 || job.killed !== undefined;
      const now = preciseNow();
      await this.#started(job, k, { pid: 0, startedAt: now });
      const isByHost = error instanceof SshError;
      const cause = `${isByHost ? 'not run' : 'could not be started'}: ${messageOf(error)}`;
      const returncode = isByHost ? SSH_FAILED : CANNOT_START;
      await this.#ended(job, k, { endedAt: now, returncode, cause, last: isFinal });
      return isFinal ? undefined : k + 1;
    }
    const { group, enforced } = job.confinement ?? { enforced: {} };
    await this.#started(job, k, {
      ...startOf(part),
      ...(group === undefined ? {} : { group }),
      ...(Object.keys(enforced).length === 0 ? {} : { limits: enforced }),
    });
    return this.#follow(job, k, part);
  }

  /** On this host, or on the one that the job names. */
  async #startPart(job: RunningJob, k: number): Promise<DetachedPart | SshPart> {
    const { folder, request } = job;
    const { ssh, limits = {}, parts } = request;
    const command = parts[k] ?? '';
    if (ssh !== undefined) {
      const { startSshPart } = await import('./sshPart.ts');
      return startSshPart({ connection: ssh, folder, part: k }, command, limits);
    }
    const name = partName(folder, k);
    const keeper = await this.#keeperOf(folder);
    const outputs = await keeper.open(name, {
      maxBytes: limits.maxOutputBytes,
      owner: limits.user,
    });
    const mark = partFiles(folder, k).out;
    try {
      const { out, err } = outputs;
      job.pipes = outputs.pipes;
      job.confinement ??= confine(folder, limits);
      const { confinement } = job;
      const stdin = request.hasStdin ? stdinFile(folder) : undefined;
      return await startPart({
        ...{ command, limits, out, err, mark, stdin, confinement },
        ...{ script: `${mark}.sh`, root: basename(folder) },
      });
    } catch (error) {
      await keeper.settle(name);
      throw error;
    } finally {
      outputs.release();
    }
  }

  /** Sees a part that has started to its end; resolves to the next part to run, if one is. */
  async #follow(
    job: RunningJob,
    k: number,
    part: DetachedPart | SshPart,
  ): Promise<number | undefined> {
    const { folder, request } = job;
    // By the clock that nobody sets: how long a part has run is no matter of the time of day.
    const begunAt = performance.now() - (preciseNow() - part.startedAt);
    hold(job, part);
    const watch = 'begun' in part ? new OutputWatch(folder, k) : undefined;
    const remote = 'begun' in part ? await part.begun : undefined;
    if (remote !== undefined) await this.#started(job, k, { ...startOf(part), remote });
    const exit = await part.ended;
    const endedAt = preciseNow();
    const wallMs = performance.now() - begunAt;
    // Of a job that was ended nothing is to run any more when that is told.
    const left = await job.ending;
    if (watch !== undefined) watch.close();
    else await (await this.#keeperOf(folder)).settle(partName(folder, k));
    job.current = undefined;
    const cause = endCause(
      limitCause(exit, job.confinement?.enforced, eventsOf(job)),
      job.killed,
      request.ssh !== undefined,
      left,
    );
    const isFinal = exit.isLast === true || k === request.parts.length - 1;
    const end = {
      endedAt,
      returncode: exit.returncode,
      ...(cause === undefined ? {} : { cause }),
      usage: {
        wall_seconds: Math.round(wallMs * 1000) / 1e6,
        ...exit.usage,
      },
      last: isFinal || job.killed !== undefined,
    };
    await this.#ended(job, k, end);
    // Killed while the disk refused the record of this end: no other part will close the job.
    if (job.killed && !end.last) await this.#ended(job, k, { ...end, last: true });
    if ('begun' in part) rmSync(partFiles(folder, k).ssh, { force: true });
    return end.last ? undefined : k + 1;
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

/** Where the system has no process or file to give just now, it is asked again for a while: others end. */
async function startPatiently(
  job: RunningJob,
  start: () => Promise<DetachedPart | SshPart>,
): Promise<DetachedPart | SshPart> {
  for (const until = performance.now() + PATIENCE_MS; ; ) {
    try {
      return await start();
    } catch (error) {
      if (!isTemporary(error) || job.killed !== undefined || performance.now() > until) throw error;
    }
    await sleep(RETRY_MS);
  }
}

async function resumeOverSsh(
  { folder, request: { ssh } }: RunningJob,
  part: number,
  start: PartStart,
): Promise<SshPart | undefined> {
  if (ssh === undefined) return undefined;
  const { resumeSshPart } = await import('./sshPart.ts');
  return resumeSshPart({ connection: ssh, folder, part }, start);
}

/** A part of the job runs: whoever ends the job ends it, or has done so by now. */
function hold(job: RunningJob, part: Pick<DetachedPart, 'end' | 'pass'>): void {
  job.current = part;
  if (job.killed) endPart(job, job.killed);
}

/** At once: what has a parent now may have none in a moment. */
function endPart(job: RunningJob, { signal, graceMs }: KillRequest): void {
  const ending = job.current?.end(signal, graceMs, marksOf(job));
  if (ending !== undefined) job.ending = ending;
}

function marksOf({ folder, pipes, confinement }: RunningJob): TreeMarks {
  return { pipes, variable: jobMark(basename(folder)), group: confinement?.group };
}

/** What the system has counted in the control group of a job since this was last asked. */
function eventsOf(job: RunningJob): GroupEvents {
  const { group } = job.confinement ?? {};
  const { oomKills, refused } = job.events ?? { oomKills: 0, refused: 0 };
  const now = group === undefined ? { oomKills, refused } : groupEvents(group);
  job.events = now;
  return { oomKills: now.oomKills - oomKills, refused: now.refused - refused };
}

function startOf({ pid, startedAt, ticks }: DetachedPart): PartStart {
  return { pid, startedAt, ...(ticks === undefined ? {} : { ticks }) };
}

/** The time of a job that has a limit counts from the start of its first part, also when another runner saw that. */
function watchTimeLimit({ request, parts }: SpoolState, atLimit: (order: KillRequest) => void) {
  const { timeoutMs } = request.limits ?? {};
  if (timeoutMs === undefined) return () => undefined;
  return timeLimit(parts[0]?.start?.startedAt ?? preciseNow(), timeoutMs, atLimit);
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
