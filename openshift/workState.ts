import type { Look, Outcome, Worker } from '../lib/jobs/container/engine.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import {
  causeOfEnd,
  causeOfJob,
  causeOfLoss,
  endedAtOf,
  endIsUnknown,
  exitCodeOf,
  type Hindrance,
  hindranceOf,
  hindranceOfJob,
  mainStatus,
} from './causes.ts';
import { ENDED_NOTE } from './objectNames.ts';
import { conditionOf, type Job, type Pod } from './objects.ts';
import { shownWork } from './shownWork.ts';
import { isGone, jobUidOf, type KnownWork } from './workCache.ts';

/** A pod that will never run, or a Job that will never have one. */
export interface Hopeless {
  readonly job: Job;
  readonly pod?: Pod;
  readonly cause: string;
}

export interface WorkState {
  readonly look: Look;
  /** What is to be ended, since it will never run. */
  readonly hopeless: readonly Hopeless[];
}

/**
 * How a Job with its pods stands.
 * @param limitMs how long something may fail to start before there is no hope
 */
export function workState(work: KnownWork, limitMs: number, now = Date.now()): WorkState {
  const { job, warnings } = work;
  // What no owner is named of has output perhaps; how the Job stands it does not say.
  const pods = work.pods.filter((pod) => jobUidOf(pod) !== undefined);
  const isEndedByUs = job.metadata.annotations[ENDED_NOTE] !== undefined;
  const isGivenUp = isEndedByUs && job.spec.suspend === true;
  const hindrances = new Map<Pod, Hindrance>();
  for (const pod of pods) {
    const found = isOver(pod) || isRunning(pod) ? undefined : hindranceOf(pod, warnings);
    if (found !== undefined) hindrances.set(pod, found);
  }
  const workers = work.pods.map((pod) => workerOf(job, pod, hindrances.get(pod)));
  const isWhole = pods.length >= (job.spec.completions ?? 1);
  const noneLeft = pods.every(isOver);
  // The controller says so a little later than the pods do; without it, a pod may still be made.
  const isOverAll = noneLeft && (isWhole || isFinal(job) || isGivenUp);
  const deciding =
    pods.find((pod) => isRunning(pod)) ??
    pods.find((pod) => !isOver(pod)) ??
    pods.find((pod) => !isSucceeded(pod)) ??
    pods[0];
  const seen = (cause: string | undefined, word: Word) => ({
    workers,
    shown: shownWork(job, deciding, { word, exitCode: exitCodeBy(deciding, word) }),
    ...(cause === undefined ? {} : { cause }),
  });
  if (isOverAll) {
    const isGood = isComplete(job) || (isWhole && pods.every(isSucceeded));
    const outcome: Outcome = isGood
      ? 'succeeded'
      : deciding !== undefined && !isEndedByUs && (isSucceeded(deciding) || endIsUnknown(deciding))
        ? 'unknown'
        : 'failed';
    const cause = isGood ? undefined : causeOfFailure(work, deciding);
    const word = outcome === 'succeeded' ? 'finished' : 'finishedWithError';
    return { look: { kind: 'ended', outcome, ...seen(cause, word) }, hopeless: [] };
  }
  const hopeless = hopelessOf(work, hindrances, { limitMs, now });
  const isActive = pods.length === 0 && (job.status.active ?? 0) > 0 && !isNew(job, now);
  if (pods.some(isRunning) || pods.some(isOver) || isActive) {
    const cause = [...hindrances.values()][0]?.cause ?? pods.map(causeOfLoss).find(Boolean);
    return { look: { kind: 'running', ...seen(cause, 'started') }, hopeless };
  }
  const cause = [...hindrances.values()][0]?.cause ?? hindranceOfJob(job, warnings)?.cause;
  return { look: { kind: 'waiting', ...seen(cause, 'inactive') }, hopeless };
}

const isSucceeded = ({ status }: Pod) => status.phase === 'Succeeded';

/** When all that is left of a Job that failed did well, nothing is left of those that did not: their code is not known. */
function exitCodeBy(deciding: Pod | undefined, word: Word): number | null {
  if (deciding === undefined) return null;
  return word === 'finishedWithError' && isSucceeded(deciding) ? null : exitCodeOf(deciding);
}

/** pman's own reason comes first: what it ends looks as if somebody had removed it. */
function causeOfFailure({ job, pods }: KnownWork, deciding: Pod | undefined): string | undefined {
  const failed = conditionOf(job, 'Failed') ?? conditionOf(job, 'FailureTarget');
  // What the Job ends by its limit ends as if it had failed by itself, or somebody had removed it.
  const limit = failed?.reason === 'DeadlineExceeded' ? causeOfJob(failed) : undefined;
  return (
    job.metadata.annotations[ENDED_NOTE] ??
    limit ??
    (deciding && causeOfEnd(deciding)) ??
    pods.map(causeOfEnd).find((cause) => cause !== undefined) ??
    causeOfJob(failed)
  );
}

export type Word = 'started' | 'inactive' | 'finished' | 'finishedWithError';

/** Whether the cluster says that nothing more of it will run. */
function isFinal(job: Job): boolean {
  return isComplete(job) || conditionOf(job, 'Failed') !== undefined;
}

/** Clusters of long ago gave no condition (protocol h). */
function isComplete({ status }: Job): boolean {
  return (
    conditionOf({ status }, 'Complete') !== undefined ||
    (status.completionTime != null && (status.succeeded ?? 0) > 0)
  );
}

/** Whether nothing of a pod runs any more, and nothing will. */
export function isOver(pod: Pod): boolean {
  return isGone(pod) || isSucceeded(pod) || pod.status.phase === 'Failed';
}

export function isRunning(pod: Pod): boolean {
  return !isOver(pod) && mainStatus(pod)?.state.running != null;
}

function hopelessOf(
  { job, pods, warnings }: KnownWork,
  hindrances: ReadonlyMap<Pod, Hindrance>,
  { limitMs, now }: { readonly limitMs: number; readonly now: number },
): readonly Hopeless[] {
  const hopeless: Hopeless[] = [];
  for (const [pod, { cause, helpsToWait }] of hindrances) {
    const since = Date.parse(pod.status.startTime ?? pod.metadata.creationTimestamp ?? '');
    const isLate = helpsToWait === 'perhaps' && now - since > limitMs;
    const isEnding = pod.metadata.deletionTimestamp != null;
    if ((helpsToWait === 'never' || isLate) && !isEnding) hopeless.push({ job, pod, cause });
  }
  const ofJob = pods.length === 0 ? hindranceOfJob(job, warnings) : undefined;
  if (ofJob?.helpsToWait === 'never') hopeless.push({ job, cause: ofJob.cause });
  return hopeless;
}

/** The Job tells of a pod a moment before the pod itself is told of. */
const MOMENT_MS = 10_000;

function isNew({ status }: Job, now: number): boolean {
  return now - Date.parse(status.startTime ?? '') < MOMENT_MS;
}

function workerOf(job: Job, pod: Pod, hindrance: Hindrance | undefined): Worker {
  const cause = isOver(pod) ? causeOfEnd(pod) : hindrance?.cause;
  const { name, uid } = pod.metadata;
  const shown: JsonObject = {
    Pod: name,
    Container: job.metadata.name,
    Node: pod.spec.nodeName ?? null,
    Phase: pod.status.phase,
    ExitCode: exitCodeOf(pod),
  };
  return {
    ...{ id: uid || name, label: name, exitCode: exitCodeOf(pod), endedAt: endedAtOf(pod), shown },
    ...(cause === undefined ? {} : { cause }),
  };
}
