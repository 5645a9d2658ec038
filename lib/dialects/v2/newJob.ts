import { createHash, randomBytes } from 'node:crypto';
import { BadRequestError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../wire/json.ts';
import type { NewJob } from './newJobSchema.ts';

/**
 * The `meta` of the `run` that a job of `/api/v2` is: the one which a client of the original would have sent, so that both
 * see the same job.
 * @param key names the job: the same key and the same request are the same job
 * @param auid who the job is for when it does not say
 * @param runsImagesHere whether this host runs the commands of images: then the environment is its job's, as without one
 */
export function runMeta(
  job: NewJob,
  key: string | undefined,
  { auid = '', runsImagesHere }: { auid?: string | undefined; runsImagesHere: boolean },
): JsonObject {
  const { image } = job;
  const isHere = image === undefined || runsImagesHere;
  return {
    ...{ cmd: job.command, auid: job.auid ?? auid },
    jid: job.jid ?? (image === undefined ? '' : serviceName(key)),
    threaded: true,
    ...given('timeout', job.timeout),
    ...given('nice', job.nice),
    ...given('cwd', job.cwd),
    ...given('shell', job.shell),
    ...given('env', isHere ? job.env : undefined),
    ...given('memory_limit', memoryText(job.memory)),
    ...given('ssh', job.ssh),
    ...given('stdin', job.stdin),
    ...given('max_output', job.maxOutput),
    ...given('labels', job.labels),
    ...given('files', job.files),
    ...given('key', key),
    ...given('notify', job.notify as JsonValue | undefined),
    ...given('container', image === undefined ? undefined : containerOf(job, image)),
    ...given('cpu_limit', job.cpus && `${Math.ceil(job.cpus * 1000)}m`),
    ...given('gpu_limit', job.gpus),
    ...given('number_of_workers', job.workers),
  };
}

/**
 * Names the input of a job in its meta: by a digest, where it came along with the request.
 * @throws BadRequestError when there are two
 */
export function withInput(meta: JsonObject, input: Buffer | undefined): JsonObject {
  if (input === undefined) return meta;
  if (meta.stdin !== undefined) {
    throw new BadRequestError('the body: "stdin": is there twice: in "job", and as a part', {
      hint: 'send one of them',
    });
  }
  const sha256 = createHash('sha256').update(input).digest('hex');
  return { ...meta, stdin: { sha256, bytes: input.length } };
}

/** The engine keeps a container job under a name. With a key it is the same each time, as is the request. */
export function serviceName(key: string | undefined): string {
  const digits =
    key === undefined
      ? randomBytes(8).toString('hex')
      : createHash('sha256').update(key).digest('hex').slice(0, 16);
  return `job-${digits}`;
}

function containerOf(job: NewJob, image: string): JsonObject {
  const target = {
    image,
    ...given('env', job.env),
    ...given('labels', job.labels),
    ...given('user', job.user),
    ...given('mounts', job.mounts),
  };
  const { shareDir } = job;
  return { target, ...(shareDir === undefined ? {} : { manager: { env: { shareDir } } }) };
}

/** Here a plain number is bytes, also as a text. To the envelope one below a million would be MiB (protocol h). */
function memoryText(memory: NewJob['memory']): string | undefined {
  const isPlain = /^\d+(\.\d+)?$/.test(String(memory ?? ''));
  return isPlain ? `${Math.ceil(Number(memory) / 1024)}Ki` : (memory as string | undefined);
}

function given<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}
