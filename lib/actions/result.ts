import type { JsonObject, JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction, type Services } from './action.ts';
import { type Hit, requireHits } from './hits.ts';

/**
 * `result`: what each job has written and how its sub-jobs ended, one element a sub-job. A sub-job that runs has a
 * `returncode` of null and shows what it has written so far. Not of the original, but its README promises it.
 */
export const result = defineAction({
  schema: searchMeta,
  handle(meta, { services }) {
    const hits = requireHits(services, meta);
    const jobs = hits.map((hit, i): [string, JsonValue] => [String(i), resultOf(services, hit)]);
    return { status: true, result: Object.fromEntries(jobs) };
  },
});

function resultOf(services: Services, { root, progress }: Hit): JsonObject {
  const live = services.jobs.isActive(root) ? services.jobs.outputs.live(root) : [];
  const { entries, returncodes, status } = progress;
  const output = (stream: 'stdout' | 'stderr') =>
    entries.map((entry, k) => entry[stream] ?? live[k]?.[stream] ?? '');
  return {
    jobRoot: root,
    status,
    cmd: entries.map(({ cmd }) => cmd ?? ''),
    returncode: entries.map((_, k) => returncodes[k] ?? null),
    stdout: output('stdout'),
    stderr: output('stderr'),
    cause: entries.map(({ cause }) => cause ?? null),
  };
}
