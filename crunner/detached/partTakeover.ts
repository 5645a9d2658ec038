import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from '../../lib/host/clock.ts';
import { isAlive } from '../../lib/host/processes.ts';
import { endTree, signalTree } from '../../lib/host/processTree.ts';
import { freely, groupOf, overSsh } from './confinement.ts';
import { leftWords } from './endCause.ts';
import type { PartStart, SpoolPart } from './journal.ts';
import { findUnwrittenStart } from './orphan.ts';
import { followPart, type PartWriters } from './partFollow.ts';
import { hold, type RunningJob } from './runningJob.ts';
import { partFiles, partName, placeNow, readSpool } from './spool.ts';
import type { SshPart } from './sshFollow.ts';

/** How often the process of a part is looked at whose runner is gone, in milliseconds. */
const ORPHAN_POLL_MS = 250;

/** Watches the part that another runner has begun, if it has; resolves to the next part to run, if one is. */
export async function takeOverPart(
  job: RunningJob,
  begun: readonly SpoolPart[],
  writers: PartWriters,
): Promise<number | undefined> {
  const { keepers, journal } = writers;
  const newest = begun.at(-1);
  const isWritten = newest?.start !== undefined && newest.end === undefined;
  const part = isWritten ? begun.length - 1 : begun.length;
  const name = partName(job.folder, part);
  const pipes = async () => (await keepers.of(job.folder)).pipesOf(name);
  const { out } = partFiles(placeNow(job.folder), part);
  const start = isWritten ? newest.start : await findUnwrittenStart(out, pipes);
  if (start === undefined) return begun.length;
  if (!isWritten) await journal.started(job, part, start);
  const overSsh = await resumeOverSsh(job, part, start);
  if (overSsh !== undefined) return followPart(job, part, overSsh, writers);
  const { pid, group = groupOf(job.folder) } = start;
  const keeper = await keepers.of(job.folder);
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
  const seen = readSpool(placeNow(job.folder))?.parts[part]?.end;
  if (seen?.last) {
    journal.endedBefore(job, part, seen);
    return undefined;
  }
  const { killed } = job;
  const cause = killed
    ? `${killed.cause} (${killed.signal}), unseen: the process that watched it had gone${leftWords(left)}`
    : 'the process that watched it ended before it did (killed, or the machine went down)';
  await journal.ended(job, part, { endedAt: preciseNow(), returncode: null, cause, last: true });
  return undefined;
}

async function resumeOverSsh(
  job: RunningJob,
  part: number,
  start: PartStart,
): Promise<SshPart | undefined> {
  const { folder } = job;
  const { ssh, limits } = job.request;
  if (ssh === undefined) return undefined;
  const { resumeSshPart } = await import('./sshPart.ts');
  job.confinement ??= overSsh(limits ?? {});
  const { maxOutputBytes } = limits ?? {};
  return resumeSshPart(
    { ...{ connection: ssh, folder: placeNow(folder), part }, maxOutputBytes },
    start,
  );
}
