import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTemporary } from '../../lib/errors.ts';
import { confine, overSsh } from './confinement.ts';
import type { OutputKeepers } from './outputKeepers.ts';
import { type DetachedPart, startPart } from './part.ts';
import type { RunningJob } from './runningJob.ts';
import { partFiles, partName, placeNow, stdinFile } from './spool.ts';
import type { SshPart } from './sshFollow.ts';

/** How long a part that cannot be started for want of processes or files is tried again, in milliseconds. */
const PATIENCE_MS = 60_000;

/** How long to wait before that, in milliseconds. */
const RETRY_MS = 500;

/**
 * Starts a part of a job, on this host or on the one that the job names. Where the system has no process or file to
 * give just now, it is asked again for a while: others end.
 * @throws what kept it from being started
 */
export async function startJobPart(
  job: RunningJob,
  k: number,
  keepers: OutputKeepers,
): Promise<DetachedPart | SshPart> {
  for (const until = performance.now() + PATIENCE_MS; ; ) {
    try {
      return await startOnce(job, k, keepers);
    } catch (error) {
      if (!isTemporary(error) || job.killed !== undefined || performance.now() > until) throw error;
    }
    await sleep(RETRY_MS);
  }
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
