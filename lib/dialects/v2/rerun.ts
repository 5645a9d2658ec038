import type { z } from 'zod';
import type { JobView } from '../../jobs/jobView.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../wire/json.ts';
import { runMeta, serviceName } from './newJob.ts';
import type { changesSchema, JobChanges, JobMember } from './newJobSchema.ts';

export interface Rerun {
  readonly meta: JsonObject;
  /** Whether the input of the former job has to come along. */
  readonly needsInput: boolean;
}

/** What belongs to one job alone. */
const OF_ONE_JOB = ['key', 'cmdMgr', 'cmdMrg_byte_str', 'rerunOf'] as const;

/** Where the `meta` keeps what `/api/v2` says, except for the members of a container. */
const PLACES: Readonly<Partial<Record<JobMember, string>>> = {
  ...{ ssh: 'ssh', shell: 'shell', cwd: 'cwd', env: 'env', timeout: 'timeout', nice: 'nice' },
  ...{ memory: 'memory_limit', cpus: 'cpu_limit', gpus: 'gpu_limit', maxOutput: 'max_output' },
  ...{ workers: 'number_of_workers', labels: 'labels', files: 'files', notify: 'notify' },
  ...{ stdin: 'stdin', image: 'container' },
};

/** What means nothing without a container. */
const OF_CONTAINERS: readonly JobMember[] = ['gpus', 'workers', 'user', 'mounts', 'shareDir'];

/** What a container has of its own in the `meta`. */
const OF_TARGET: readonly JobMember[] = ['env', 'labels', 'user', 'mounts'];

/** Tells what changes set from what they take away. */
export function partsOfChanges(changes: z.output<typeof changesSchema>): {
  readonly set: JobChanges;
  readonly gone: ReadonlySet<string>;
} {
  const members = Object.entries(changes);
  return {
    set: Object.fromEntries(members.filter(([, value]) => value !== null)) as JobChanges,
    gone: new Set(members.filter(([, value]) => value === null).map(([name]) => name)),
  };
}

/**
 * The `meta` of the `run` that a job was, with changes; whoever sent it, and whether through `/api/v2` or not.
 * @param gone the members that the changes take away
 * @param auid who a new job is for that does not say
 * @param isNew whether another input comes along
 */
export function rerunMeta(
  view: Pick<JobView, 'asked' | 'command' | 'isContainer'>,
  changes: JobChanges,
  {
    root,
    key,
    auid: ownAuid,
    gone,
    isNew,
    runsImagesHere,
  }: {
    root: string;
    key: string | undefined;
    auid: string | undefined;
    gone: ReadonlySet<string>;
    isNew: boolean;
    runsImagesHere: boolean;
  },
): Rerun {
  const asked = without(view.asked(), gone);
  const former = { ...(changes.image === undefined ? asked : forImage(asked, runsImagesHere)) };
  for (const name of OF_ONE_JOB) delete former[name];
  if (isNew) delete former.stdin;
  const container = objectIn(former, 'container');
  const image = changes.image ?? imageOf(container);
  const { command = view.command } = changes;
  const job = { ...changes, command, ...(image !== undefined && { image }) };
  const made = runMeta(job, key, { auid: ownAuid, runsImagesHere });
  const { auid, jid, container: changed, ...rest } = made;
  const isNamed = (name: 'auid' | 'jid') => changes[name] !== undefined || gone.has(name);
  const meta: JsonObject = {
    ...{ auid: '', jid: '' },
    ...former,
    ...rest,
    rerunOf: root,
    ...(isNamed('auid') ? { auid } : {}),
    ...(isNamed('jid') ? { jid } : {}),
    ...(image === undefined ? {} : { container: merged(container, objectOf(changed), key) }),
  };
  return { meta, needsInput: typeof meta.stdin === 'object' && meta.stdin !== null };
}

/** What was asked for without these members. Without an image, the environment is that of the command itself. */
function without(asked: JsonObject, gone: ReadonlySet<string>): JsonObject {
  const container = objectIn(asked, 'container');
  const target = objectIn(container, 'target');
  const isFreed = gone.has('image') && target.env !== undefined;
  const places = [...gone, ...(gone.has('image') ? OF_CONTAINERS : [])].map(
    (name) => PLACES[name as JobMember],
  );
  const meta = omitted(isFreed ? { ...asked, env: target.env ?? {} } : asked, [
    ...places.filter((place) => place !== undefined),
  ]);
  if (meta.container === undefined) return meta;
  const manager = objectIn(container, 'manager');
  const env = omitted(objectIn(manager, 'env'), gone.has('shareDir') ? ['shareDir'] : []);
  const left = omitted(
    target,
    OF_TARGET.filter((name) => gone.has(name)),
  );
  return { ...meta, container: { ...container, target: left, manager: { ...manager, env } } };
}

/** What was asked for, of an image: what a command itself had of `env` and `labels`, its container has too. */
function forImage(asked: JsonObject, runsImagesHere: boolean): JsonObject {
  if (asked.container !== undefined) return asked;
  const { env, labels } = asked;
  const target = { ...(env !== undefined && { env }), ...(labels !== undefined && { labels }) };
  return { ...(runsImagesHere ? asked : omitted(asked, ['env'])), container: { target } };
}

const omitted = (parent: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(parent).filter(([name]) => !names.includes(name)));

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
