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
  return shownEnd(record, readShown)?.exitCode ?? null;
}

/**
 * The exit code that goes for the job's one entry, which is that of the original's `echo`. One that never ran, or of which
 * nobody knows how it ended, has none: 0 would say that all is well.
 * @param echoed the code of that entry
 */
export function recordedReturnCode(
  record: TreeNode,
  readShown: ReadShown,
  echoed: number | null,
): number | null {
  if (echoed !== 0 || !recordedContainer(record, readShown).isFinal) return echoed;
  const end = shownEnd(record, readShown);
  return end?.exitCode ?? (end?.outcome === 'failed' ? echoed : null);
}

function shownEnd(record: TreeNode, readShown: ReadShown): ShownEnd | undefined {
  const shown = record.cat(['container', 'state']);
  return isJsonObject(shown) ? readShown(shown) : undefined;
}
