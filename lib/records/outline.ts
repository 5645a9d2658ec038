import { join } from 'node:path';
import { type OnUnreadable, type ReadTree, readLeaf, readTree } from '../tree/disk.ts';
import type { TreeNode } from '../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../wire/json.ts';

/**
 * The outline of a record: the leaves at its root, and the entries of its parts once. That is what views of a job are
 * made of, and half of what there is to be read: the epochs of a record repeat each other (`record.ts`).
 */

/**
 * Reads the outline of the record of a job of a host whose parts have all ended. Undefined for every other record,
 * also for one that is not there: of those the whole has to be read.
 * @throws as readTree
 */
export function readOutline(folder: string, onUnreadable: OnUnreadable): ReadTree | undefined {
  const root = readTree(folder, onUnreadable, isNoEpoch);
  if (root === undefined) return undefined;
  const count = partsOf(root.tree);
  if (count === undefined) return undefined;
  const last = String(count - 1);
  const file = join(folder, 'end', last, 'endInfo');
  const leaf = readLeaf(file, onUnreadable);
  if (leaf === undefined || !hasEnded(leaf.value, count)) return undefined;
  root.tree.touch(['end', last, 'endInfo'], leaf.value);
  // The entries of parts that have ended are the same on both sides.
  root.tree.touch(['start', last, 'startInfo'], leaf.value);
  return { tree: root.tree, weight: root.weight + leaf.length };
}

const isNoEpoch = (name: string): boolean => name !== 'start' && name !== 'end';

/**
 * The entries of the parts of a job of a host whose parts have all ended, from its whole record; undefined for every other
 * record.
 */
export function endsIn(record: TreeNode): JsonObject | undefined {
  const count = partsOf(record);
  if (count === undefined) return undefined;
  const entries = record.cat(['end', String(count - 1), 'endInfo']);
  return entries !== undefined && hasEnded(entries, count) ? entries : undefined;
}

/** How many parts a closed record has; undefined when that is not to be seen at its root. */
function partsOf({ leaves, children }: TreeNode): number | undefined {
  const [endInfo, count] = [leaves.get('endInfo'), leaves.get('jobCount')];
  const isClosed = isJsonObject(endInfo) && endInfo.allJobsDone === true;
  // A part that was lost has started and not ended. Container jobs have children of their own.
  if (!isClosed || leaves.has('lost') || [...children.keys()].some(isNoEpoch)) return undefined;
  return typeof count === 'number' && Number.isInteger(count) && count > 0 ? count : undefined;
}

/** Whether these are the entries of so many parts, and all have ended. */
function hasEnded(entries: JsonValue, count: number): entries is JsonObject {
  if (!isJsonObject(entries) || Object.keys(entries).length !== count) return false;
  for (let k = 0; k < count; k += 1) {
    const entry = entries[k];
    if (!isJsonObject(entry) || entry.doneTrigger !== true) return false;
  }
  return true;
}
