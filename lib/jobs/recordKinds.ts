import type { TreeNode } from '../tree/node.ts';
import type { ReadShown } from './container/engine.ts';
import { recordedContainer } from './container/recorded.ts';
import { type JobProgress, progressOf } from './progress.ts';

/** Reads how far a job has come, from a record of any kind. */
export type ReadProgress = (record: TreeNode) => JobProgress;

/** Whether a record is that of a container job; its node tells, not the server that reads it. */
export function isContainerRecord(record: TreeNode): boolean {
  return record.children.has('container') && record.leaves.has('cmdMgr');
}

/**
 * The sub-job of a container job only says that it was scheduled (protocol g): its container node says the rest.
 * @param readShown reads what the record shows of an ended worker
 */
export function progressReader(readShown: ReadShown): ReadProgress {
  return (record) => {
    const progress = progressOf(record);
    if (!isContainerRecord(record)) return progress;
    const { status, isFinal } = recordedContainer(record, readShown);
    return { ...progress, isDone: isFinal, status: progress.status === 'lost' ? 'lost' : status };
  };
}
