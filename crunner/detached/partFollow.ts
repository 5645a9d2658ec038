import { rmSync } from 'node:fs';
import { preciseNow } from '../../lib/host/clock.ts';
import { endCause, limitCause } from './endCause.ts';
import type { PartStart } from './journal.ts';
import type { OutputKeepers } from './outputKeepers.ts';
import { OutputWatch } from './outputLog.ts';
import type { DetachedPart } from './part.ts';
import type { RunnerJournal } from './runnerJournal.ts';
import { eventsOf, hold, type RunningJob } from './runningJob.ts';
import { partFiles, partName, placeNow } from './spool.ts';
import type { SshPart } from './sshFollow.ts';

/** Who write down what a part says, and what becomes of it. */
export interface PartWriters {
  readonly keepers: OutputKeepers;
  readonly journal: RunnerJournal;
  /** Ends the job of a part that has written more than it may to a stream. */
  readonly endFull: (part: string, stream: string) => void;
}

/** Sees a part that has started to its end; resolves to the next part to run, if one is. */
export async function followPart(
  job: RunningJob,
  k: number,
  part: DetachedPart | SshPart,
  { keepers, journal, endFull }: PartWriters,
): Promise<number | undefined> {
  const { folder, request } = job;
  // By the clock that nobody sets: how long a part has run is no matter of the time of day.
  const begunAt = performance.now() - Math.max(0, preciseNow() - part.startedAt);
  const { startedAt } = startOf(part, job);
  hold(job, part);
  const watch = 'begun' in part ? new OutputWatch(placeNow(folder), k) : undefined;
  if ('begun' in part) void part.overrun.then((stream) => endFull(partName(folder, k), stream));
  const remote = 'begun' in part ? await part.begun : undefined;
  if (remote !== undefined) await journal.started(job, k, { ...startOf(part, job), remote });
  const exit = await part.ended;
  const wallMs = performance.now() - begunAt;
  // The clock may have been set back meanwhile: what has run for a second did not end before it began.
  const endedAt = Math.max(preciseNow(), startedAt + wallMs);
  job.notBefore = endedAt;
  // Of a job that was ended nothing is to run any more when that is told.
  const left = await job.ending;
  watch?.close();
  const isSilent =
    watch === undefined && (await (await keepers.of(folder)).settle(partName(folder, k)));
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
    ...(isSilent ? { silent: true as const } : {}),
    last: isFinal || job.killed !== undefined,
  };
  await journal.ended(job, k, end);
  // Killed while the disk refused the record of this end: no other part will close the job.
  if (job.killed && !end.last) await journal.ended(job, k, { ...end, last: true });
  if ('begun' in part) rmSync(partFiles(placeNow(folder), k).ssh, { force: true });
  return end.last ? undefined : k + 1;
}

/** The start of a part, as the journal has it: with what holds its job to which limits. */
export function startOf(
  { pid, startedAt, ticks }: DetachedPart,
  { confinement, notBefore = 0 }: Pick<RunningJob, 'confinement' | 'notBefore'>,
): PartStart {
  const { group, enforced = {} } = confinement ?? {};
  return {
    ...{ pid, startedAt: Math.max(startedAt, notBefore) },
    ...(ticks === undefined ? {} : { ticks }),
    ...(group === undefined ? {} : { group }),
    ...(Object.keys(enforced).length === 0 ? {} : { limits: enforced }),
  };
}
