import type { JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { type Hit, hitsOf } from './hits.ts';

/** `done`: which sub-jobs have started and how the ended ones did. Despite its name it does not say "done" (protocol a.7). */
export const done = defineAction({
  schema: searchMeta,
  handle(meta, { services }) {
    const hits = hitsOf(services, meta);
    return {
      status: hits.length > 0,
      result: Object.fromEntries(jobStates(hits, (root) => services.jobs.place(root))),
    };
  },
});

/** The members that `done` and `status` share: three for each job, or three of nothing; and its place while it waits, from 1. */
export function jobStates(
  hits: readonly Hit[],
  placeOf: (root: string) => number | undefined,
): readonly (readonly [string, JsonValue])[] {
  if (hits.length === 0) {
    return [
      ['-1.start', { jobRoot: null, startTrigger: null }],
      ['-1.end', { jobRoot: null, returncode: null }],
      ['-1.container', { jobRoot: null, tree: null }],
    ];
  }
  return hits.flatMap(({ root, record, progress }, i) => {
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
