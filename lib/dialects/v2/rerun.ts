import type { JobView } from '../../jobs/jobView.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../wire/json.ts';
import { runMeta, serviceName } from './newJob.ts';
import type { JobChanges } from './newJobSchema.ts';

export interface Rerun {
  readonly meta: JsonObject;
  /** Whether the input of the former job has to come along. */
  readonly needsInput: boolean;
}

/** What belongs to one job alone. */
const OF_ONE_JOB = ['key', 'cmdMgr', 'cmdMrg_byte_str', 'rerunOf'] as const;

/**
 * The `meta` of the `run` that a job was, with changes; whoever sent it, and whether through `/api/v2` or not.
 * @param isNew whether another input comes along
 */
export function rerunMeta(
  view: Pick<JobView, 'asked' | 'command' | 'isContainer'>,
  changes: JobChanges,
  {
    root,
    key,
    isNew,
    runsImagesHere,
  }: { root: string; key: string | undefined; isNew: boolean; runsImagesHere: boolean },
): Rerun {
  const former = { ...view.asked() };
  for (const name of OF_ONE_JOB) delete former[name];
  if (isNew) delete former.stdin;
  const container = objectIn(former, 'container');
  const image = changes.image ?? imageOf(container);
  const { command = view.command } = changes;
  const job = { ...changes, command, ...(image !== undefined && { image }) };
  const { auid, jid, container: changed, ...rest } = runMeta(job, key, { runsImagesHere });
  const meta: JsonObject = {
    ...{ auid: '', jid: '' },
    ...former,
    ...rest,
    rerunOf: root,
    ...(changes.auid === undefined ? {} : { auid }),
    ...(changes.jid === undefined ? {} : { jid }),
    ...(image === undefined ? {} : { container: merged(container, objectOf(changed), key) }),
  };
  return { meta, needsInput: typeof meta.stdin === 'object' && meta.stdin !== null };
}

/** The engine gets another name for it: the former job may still have its own. */
function merged(former: JsonObject, changed: JsonObject, key: string | undefined): JsonObject {
  const manager = { ...objectIn(former, 'manager'), ...objectIn(changed, 'manager') };
  const env = {
    ...objectIn(objectIn(former, 'manager'), 'env'),
    ...objectIn(objectIn(changed, 'manager'), 'env'),
    serviceName: serviceName(key),
  };
  const target = { ...objectIn(former, 'target'), ...objectIn(changed, 'target') };
  return { ...former, ...changed, target, manager: { ...manager, env } };
}

function imageOf(container: JsonObject): string | undefined {
  const { image } = objectIn(container, 'target');
  return typeof image === 'string' ? image : undefined;
}

const objectIn = (parent: JsonObject, name: string) => objectOf(parent[name]);

function objectOf(value: JsonValue | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}
