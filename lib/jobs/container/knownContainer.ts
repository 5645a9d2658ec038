import type { TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonValue } from '../../wire/json.ts';
import type { ContainerStatus } from './engine.ts';

const STATUSES: readonly string[] = [
  'notstarted',
  'started',
  'finishedSuccessfully',
  'finishedWithError',
  'undefined',
];
const isStatus = (value: JsonValue | undefined): value is ContainerStatus =>
  typeof value === 'string' && STATUSES.includes(value);
const isEnd = (status: ContainerStatus) => status !== 'notstarted' && status !== 'started';

/** Whether a record is that of a container job; its node tells, not the server that reads it. */
export function isContainerRecord(record: TreeNode): boolean {
  return record.children.has('container') && record.leaves.has('cmdMgr');
}

export interface KnownContainer {
  readonly status: ContainerStatus;
  readonly logs: string;
  readonly isFinal: boolean;
}

/** What a record, of ours or of the original, knows of its container. */
export function knownContainer(record: TreeNode): KnownContainer {
  const current = record.cat(['container', 'currentState']);
  const state = record.cat(['container', 'state']);
  const logs = record.cat(['container', 'logs']);
  const text = typeof logs === 'string' ? logs : '';
  // The original writes currentState once and never again: of its records the task alone says how the job ended.
  if (isStatus(current) && isEnd(current)) return { status: current, logs: text, isFinal: true };
  if (state !== undefined) return { status: statusOfTask(state), logs: text, isFinal: true };
  return { status: isStatus(current) ? current : 'notstarted', logs: text, isFinal: false };
}

function statusOfTask(task: JsonValue): ContainerStatus {
  const status = isJsonObject(task) ? task.Status : undefined;
  const state = isJsonObject(status) ? status.State : undefined;
  if (state === 'complete') return 'finishedSuccessfully';
  return state === 'failed' ? 'finishedWithError' : 'undefined';
}

/** The exit code of the task that decides; null while it runs, or when it never did. */
export function exitCodeOf(record: TreeNode): number | null {
  const task = record.cat(['container', 'state']);
  const status = isJsonObject(task) ? task.Status : undefined;
  const container = isJsonObject(status) ? status.ContainerStatus : undefined;
  const code = isJsonObject(container) ? container.ExitCode : undefined;
  return typeof code === 'number' ? code : null;
}
