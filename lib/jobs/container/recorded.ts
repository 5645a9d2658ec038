import type { TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonValue } from '../../wire/json.ts';
import type { Look, Outcome, ReadShown, ShownEnd } from './engine.ts';

/** How a container job stands, in the words that its record and clients have for it (protocol c, g). */
export type ContainerStatus =
  | 'notstarted'
  | 'started'
  | 'finishedSuccessfully'
  | 'finishedWithError';

const STATUSES: readonly string[] = [
  'notstarted',
  'started',
  'finishedSuccessfully',
  'finishedWithError',
] satisfies readonly ContainerStatus[];
const isStatus = (value: JsonValue | undefined): value is ContainerStatus =>
  typeof value === 'string' && STATUSES.includes(value);
const isEnd = (status: ContainerStatus) => status !== 'notstarted' && status !== 'started';

export function statusOfOutcome(outcome: Outcome): ContainerStatus {
  switch (outcome) {
    case 'succeeded':
      return 'finishedSuccessfully';
    case 'failed':
    case 'unknown': // clients wait for a word with "finished" in it
      return 'finishedWithError';
  }
}

export function statusOfLook(look: Look): ContainerStatus {
  switch (look.kind) {
    case 'waiting':
      return 'notstarted';
    case 'running':
      return 'started';
    case 'ended':
      return statusOfOutcome(look.outcome);
  }
}

export interface RecordedContainer {
  readonly status: ContainerStatus;
  readonly logs: string;
  readonly isFinal: boolean;
}

/** What a record, of ours or of the original, knows of its container. */
export function recordedContainer(record: TreeNode, readShown: ReadShown): RecordedContainer {
  const current = record.cat(['container', 'currentState']);
  const shown = record.cat(['container', 'state']);
  const recordedLogs = record.cat(['container', 'logs']);
  const logs = typeof recordedLogs === 'string' ? recordedLogs : '';
  // The original writes currentState once and never again: in its records only the shown state says how the job ended.
  // An earlier pman of ours has written "undefined" there for an end that nobody could explain.
  if (current === 'undefined') return { status: 'finishedWithError', logs, isFinal: true };
  if (isStatus(current) && isEnd(current)) return { status: current, logs, isFinal: true };
  if (shown !== undefined) {
    const end = isJsonObject(shown) ? readShown(shown) : undefined;
    return { status: statusOfOutcome(end?.outcome ?? 'unknown'), logs, isFinal: true };
  }
  return { status: isStatus(current) ? current : 'notstarted', logs, isFinal: false };
}

/** The exit code of the worker that decides; null while it runs, when it never ran, and when nobody knows. */
export function recordedExitCode(record: TreeNode, readShown: ReadShown): number | null {
  const end = recordedEnd(record, readShown);
  // The original's records of Kubernetes have no codes: a Job is complete when each pod has ended with 0.
  return end?.exitCode ?? (end?.outcome === 'succeeded' ? 0 : null);
}

/**
 * The exit code that goes for the job's one entry, which is that of the original's `echo`: the same as everywhere. One that
 * never ran, or of which nobody knows how it ended, has none: 0 would say that all is well, and 1 that it has run.
 * @param echoed the code of that entry, which counts until the end is known
 */
export function recordedReturnCode(
  record: TreeNode,
  readShown: ReadShown,
  echoed: number | null,
): number | null {
  if (!recordedContainer(record, readShown).isFinal) return echoed;
  return recordedExitCode(record, readShown);
}

/** How the worker that decides has ended; undefined where the record does not show it, or in another form. */
export function recordedEnd(record: TreeNode, readShown: ReadShown): ShownEnd | undefined {
  const shown = record.cat(['container', 'state']);
  return isJsonObject(shown) ? readShown(shown) : undefined;
}
