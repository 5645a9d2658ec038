import type { TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../wire/json.ts';
import { isEndedByUs } from './causeWords.ts';

/** What clients poll for (protocol c); `lost` is ours. */
export type JobStatus =
  | 'notstarted'
  | 'started'
  | 'finishedSuccessfully'
  | 'finishedWithError'
  | 'lost';

/** How far a job has come, read from its record. */
export interface JobProgress {
  readonly status: JobStatus;
  /** Whether the record is closed: nothing of the job runs any more. */
  readonly isDone: boolean;
  /** One `true` for each sub-job that has started. */
  readonly started: readonly true[];
  /** One for each sub-job that has ended: exit code, negative signal number, or null when unknown. */
  readonly returncodes: readonly (number | null)[];
  /** The entries of the sub-jobs, the newest state of each. */
  readonly entries: readonly JsonObject[];
}

/** Reads how far a job has come, from a record of any kind. */
export type ReadProgress = (record: TreeNode) => JobProgress;

/**
 * Reads the record of a job of a host, of ours or of the original. A job has ended when its last epoch is the marker, and has
 * failed when any of its sub-jobs has. `progressReader` reads records of any kind.
 */
export function progressOf(record: TreeNode): JobProgress {
  const started = newestEntries(record.node(['start']), 'startInfo');
  const ended = newestEntries(record.node(['end']), 'endInfo').filter(
    (entry) => entry.doneTrigger === true,
  );
  const returncodes = ended.map(({ returncode }) =>
    typeof returncode === 'number' ? returncode : null,
  );
  const done = isDone(record);
  return {
    status: statusOf({ record, done, hasStarted: started.length > 0, ended, returncodes }),
    isDone: done,
    started: started.map(() => true as const),
    returncodes,
    entries: started.map((entry, k) => ended[k] ?? entry),
  };
}

/** Whether the record of a job of a host is closed. */
export function isDone(record: TreeNode): boolean {
  const endInfo = record.cat(['endInfo']);
  return isJsonObject(endInfo) && endInfo.allJobsDone === true;
}

function statusOf(facts: {
  record: TreeNode;
  done: boolean;
  hasStarted: boolean;
  ended: readonly JsonObject[];
  returncodes: readonly (number | null)[];
}): JobStatus {
  if (facts.record.leaves.has('lost')) return 'lost';
  if (!facts.done) return facts.hasStarted ? 'started' : 'notstarted';
  if (facts.record.leaves.has('cause')) return 'finishedWithError';
  // It did not end by itself, and its further parts were not run, also when it has ended well on the signal.
  if (facts.ended.some(({ cause }) => typeof cause === 'string' && isEndedByUs(cause))) {
    return 'finishedWithError';
  }
  return facts.returncodes.every((code) => code === 0)
    ? 'finishedSuccessfully'
    : 'finishedWithError';
}

/** The entries of the newest epoch that is no marker, in order of their index. */
function newestEntries(epochs: TreeNode | undefined, leaf: string): readonly JsonObject[] {
  let newest = -1;
  let info: JsonObject = {};
  for (const [name, epoch] of epochs?.children ?? []) {
    const k = Number(name);
    const value: JsonValue | undefined = epoch.leaves.get(leaf);
    if (k <= newest || !isJsonObject(value) || isMarker(value)) continue;
    newest = k;
    info = value;
  }
  return Object.keys(info)
    .sort((a, b) => Number(a) - Number(b))
    .map((k) => info[k])
    .filter(isJsonObject);
}

function isMarker(value: JsonObject): boolean {
  return value.allJobsStarted === true || value.allJobsDone === true;
}
