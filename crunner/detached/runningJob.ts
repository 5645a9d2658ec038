import { basename } from 'node:path';
import { type GroupEvents, groupEvents } from '../../lib/host/controlGroups.ts';
import type { LeftProcess } from '../../lib/host/processTree.ts';
import type { TreeMarks } from '../../lib/host/treeSearch.ts';
import { jobMark } from '../job/jobMark.ts';
import type { KillRequest } from '../job/killRequest.ts';
import type { Confinement } from './confinement.ts';
import type { SpoolRequest } from './journal.ts';
import type { DetachedPart } from './part.ts';

/** What the runner knows of a job, from its first part to the end of its last one. */
export interface RunningJob {
  readonly folder: string;
  readonly request: SpoolRequest;
  current?: Pick<DetachedPart, 'end' | 'pass'> | undefined;
  killed?: KillRequest;
  /** When its last part ended, in milliseconds since 1970: the next one starts no earlier, whatever the clock says by then. */
  notBefore?: number;
  /** Has it wait no longer for others to end: it is not to run. */
  stopWaiting?: () => void;
  /** Resolves when all of it has been ended that could be, to what could not. */
  ending?: Promise<readonly LeftProcess[]>;
  /** What its running part writes to, as /proc names it. */
  pipes?: readonly string[];
  /** Made with its first part. */
  confinement?: Confinement;
  /** What was counted in its control group so far. */
  events?: GroupEvents;
}

/** A part of the job runs: whoever ends the job ends it, or has done so by now. */
export function hold(job: RunningJob, part: Pick<DetachedPart, 'end' | 'pass'>): void {
  job.current = part;
  if (job.killed) endPart(job, job.killed);
}

/** At once: what has a parent now may have none in a moment. */
export function endPart(job: RunningJob, { signal, graceMs }: KillRequest): void {
  const ending = job.current?.end(signal, graceMs, marksOf(job));
  if (ending !== undefined) job.ending = ending;
}

/** What tells the processes of a job from others. */
export function marksOf({ folder, pipes, confinement }: RunningJob): TreeMarks {
  return { pipes, variable: jobMark(basename(folder)), group: confinement?.group };
}

/** What the system has counted in the control group of a job since this was last asked. */
export function eventsOf(job: RunningJob): GroupEvents {
  const { group } = job.confinement ?? {};
  const { oomKills, refused } = job.events ?? { oomKills: 0, refused: 0 };
  const now = group === undefined ? { oomKills, refused } : groupEvents(group);
  job.events = now;
  return { oomKills: now.oomKills - oomKills, refused: now.refused - refused };
}
