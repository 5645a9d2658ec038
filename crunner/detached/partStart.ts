import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTemporary, messageOf } from '../../lib/errors.ts';
import { confine, overSsh } from './confinement.ts';
import type { OutputKeepers } from './outputKeepers.ts';
import { type DetachedPart, startPart } from './part.ts';
import type { RunningJob } from './runningJob.ts';
import { partFiles, partName, placeNow, stdinFile } from './spool.ts';
import type { SshPart } from './sshFollow.ts';

/**
 * How long a part that cannot be started for want of processes is tried again where its job has a limit of them: the limit
 * may be what keeps it from starting, and then no time helps. In milliseconds.
 */
const PATIENCE_MS = 60_000;

/** How long to wait before a part is tried again, in milliseconds. */
const RETRY_MS = 500;

/**
 * Starts a part of a job, on this host or on the one that the job names. Where the system has no process, file or memory
 * to give just now, it is asked again until it has, or the job is killed: others end, and what is left of a job is not lost.
 * @throws what kept it from being started
 */
export async function startJobPart(
  job: RunningJob,
  k: number,
  keepers: OutputKeepers,
): Promise<DetachedPart | SshPart> {
  const until = performance.now() + PATIENCE_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(job, k, keepers);
    } catch (error) {
      if (!isTemporary(error) || job.killed !== undefined) throw error;
      if (isLimited(job) && performance.now() > until) throw error;
      if (tries === 1) console.error(`${job.folder}: not started yet: ${messageOf(error)}`);
    }
    await sleep(RETRY_MS);
  }
}

/** Whether a limit of processes that the job itself has is in force by setrlimit(2). */
function isLimited({ confinement }: RunningJob): boolean {
  return confinement?.byRlimits.maxProcesses !== undefined;
}

async function startOnce(
  job: RunningJob,
  k: number,
  keepers: OutputKeepers,
): Promise<DetachedPart | SshPart> {
  const { folder, request } = job;
  const { ssh, limits = {}, parts } = request;
  const command = parts[k] ?? '';
  if (ssh !== undefined) {
    const { startSshPart } = await import('./sshPart.ts');
    job.confinement ??= overSsh(limits);
    const { maxOutputBytes } = limits;
    return startSshPart(
      { ...{ connection: ssh, folder: placeNow(folder), part: k }, maxOutputBytes },
      { command, limits, stdin: inputOf(job) },
    );
  }
  const name = partName(folder, k);
  const keeper = await keepers.of(folder);
  const outputs = await keeper.open(name, {
    maxBytes: limits.maxOutputBytes,
    owner: limits.user,
  });
  const mark = partFiles(placeNow(folder), k).out;
  try {
    const { out, err } = outputs;
    job.pipes = outputs.pipes;
    job.confinement ??= confine(folder, limits);
    const { confinement } = job;
    const stdin = inputOf(job);
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

const inputOf = ({ folder, request }: RunningJob) =>
  request.hasStdin ? stdinFile(placeNow(folder)) : undefined;
