import type { JobProgress } from '../../jobs/progress.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JsonValue } from '../../wire/json.ts';

/** A job that a search has found. */
interface FoundJob {
  readonly root: string;
  readonly record: TreeNode;
  readonly progress: JobProgress;
}

/**
 * The members that `done` and `status` share (protocol a.7): three for each job, or three of nothing; and its place while it
 * waits, from 1 on. The container node is shown as the record has it.
 */
export function progressAnswer(
  jobs: readonly FoundJob[],
  placeOf: (root: string) => number | undefined,
): readonly (readonly [string, JsonValue])[] {
  if (jobs.length === 0) {
    return [
      ['-1.start', { jobRoot: null, startTrigger: null }],
      ['-1.end', { jobRoot: null, returncode: null }],
      ['-1.container', { jobRoot: null, tree: null }],
    ];
  }
  return jobs.flatMap(({ root, record, progress }, i) => {
    const container = record.children.get('container')?.toJson();
    const tree = container === undefined ? null : { [root]: { container } };
    const place = placeOf(root);
    return [
      [`${i}.container`, { jobRoot: root, tree }],
      [`${i}.start`, { jobRoot: root, startTrigger: progress.started, ...(place && { place }) }],
      [`${i}.end`, { jobRoot: root, returncode: progress.returncodes }],
    ] as const;
  });
}
