import type { TreeNode } from '../tree/node.ts';

/** Whether a record is that of a container job; its node tells, not the server that reads it. */
export function isContainerRecord(record: TreeNode): boolean {
  return record.children.has('container') && record.leaves.has('cmdMgr');
}
