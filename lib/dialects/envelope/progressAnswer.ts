import type { JobProgress } from '../../jobs/progress.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JsonValue } from '../../wire/json.ts';

/** A job that a search has found. */
interface FoundJob {
  readonly root: string;
  readonly record: TreeNode;
  readonly progress: JobProgress;
  /** Its place while it waits, from 1 on. */
  readonly place: number | undefined;
}

type Members = readonly (readonly [string, JsonValue])[];

/** What `done` and `status` say when no job is found (protocol a.7). */
export const NO_PROGRESS: Members = [
  ['-1.start', { jobRoot: null, startTrigger: null }],
  ['-1.end', { jobRoot: null, returncode: null }],
  ['-1.container', { jobRoot: null, tree: null }],
];

/**
 * The three members of a job that `done` and `status` share (protocol a.7). The container node is shown as the record has
 * it.
 */
export function progressAnswer({ root, record, progress, place }: FoundJob, i: number): Members {
  const container = record.children.get('container')?.toJson();
  const tree = container === undefined ? null : { [root]: { container } };
  return [
    [`${i}.container`, { jobRoot: root, tree }],
    [`${i}.start`, { jobRoot: root, startTrigger: progress.started, ...(place && { place }) }],
    [`${i}.end`, { jobRoot: root, returncode: progress.returncodes }],
  ];
}
