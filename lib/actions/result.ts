import type { ContainerReport } from '../jobs/container/containerJobs.ts';
import { exitCodeOf, isContainerRecord, knownContainer } from '../jobs/container/knownContainer.ts';
import { fromEchoForm } from '../jobs/container/plan.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonObject, JsonValue } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction, type Services } from './action.ts';
import { type Hit, requireHits } from './hits.ts';

/**
 * `result`: what each job has written and how its sub-jobs ended, one element a sub-job. A sub-job that runs has a
 * `returncode` of null and shows what it has written so far. What a container has written, both streams as they came, is its
 * `stdout`. Not of the original, but its README promises it.
 */
export const result = defineAction({
  schema: searchMeta,
  async handle(meta, { services }) {
    const hits = requireHits(services, meta);
    const jobs = hits.map(async (hit, i): Promise<[string, JsonValue]> => {
      const isContainer = isContainerRecord(hit.record);
      return [String(i), isContainer ? await ofContainer(services, hit) : resultOf(services, hit)];
    });
    return { status: true, result: Object.fromEntries(await Promise.all(jobs)) };
  },
});

async function ofContainer(services: Services, { root, record }: Hit): Promise<JsonObject> {
  const report = services.containers?.report(root, record) ?? knownContainer(record);
  const { status, logs, note }: ContainerReport = await report;
  return {
    jobRoot: root,
    status,
    cmd: [fromEchoForm(String(record.cat(['cmd']) ?? ''))],
    returncode: [exitCodeOf(record)],
    stdout: [logs],
    stderr: [''],
    cause: [record.cat(['container', 'cause']) || null],
    ...(note === undefined ? {} : { note }),
  };
}

function resultOf(services: Services, { root, record, progress }: Hit): JsonObject {
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
    ...placeOf(services, root),
    // Why none of it ran, or no more of it.
    ...memberOf(record, 'cause', 'jobCause'),
  };
}

/** Where a job that waits for others stands, from 1 on. */
function placeOf({ jobs }: Services, root: string): JsonObject {
  const place = jobs.place(root);
  return place === undefined ? {} : { place };
}

function memberOf(record: TreeNode, leaf: string, member: string): JsonObject {
  const value = record.leaves.get(leaf);
  return value === undefined ? {} : { [member]: value };
}
