import { createHash, randomBytes } from 'node:crypto';
import type { JobRequest } from '../../jobs/backend.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { NewJob } from './schemas.ts';

/**
 * What a job of `/api/v2` is asked of the jobs, and the `meta` that its record keeps: the one which a client of the original
 * would have sent, so that both see the same job.
 * @param key names the job: the same key and the same request are the same job
 */
export function jobRequest(job: NewJob, key: string | undefined): JobRequest {
  const { command: cmd, auid = '', image } = job;
  const jid = job.jid ?? (image === undefined ? '' : serviceName(key));
  const limits = {
    ...given('timeout', job.timeout),
    ...given('nice', job.nice),
    ...given('cwd', job.cwd),
    ...(image === undefined ? given('env', job.env) : {}),
    ...given('memory_limit', image === undefined ? job.memory : containerMemory(job.memory)),
  };
  const container = image === undefined ? undefined : containerOf(job, image);
  const rawMeta: JsonObject = {
    ...{ cmd, auid, jid },
    ...limits,
    ...given('ssh', job.ssh),
    ...given('key', key),
    ...given('container', container),
    ...(job.cpus === undefined ? {} : { cpu_limit: `${Math.round(job.cpus * 1000)}m` }),
    ...given('gpu_limit', job.gpus),
    ...given('number_of_workers', job.workers),
  };
  return {
    ...{ rawMeta, cmd, auid, jid, limits },
    ...given('container', container),
    ...given('ssh', job.ssh),
  };
}

/** The engine keeps a container job under a name. With a key it is the same each time, as is the request. */
function serviceName(key: string | undefined): string {
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
  const env = given('shareDir', job.shareDir);
  return { target, ...(job.shareDir === undefined ? {} : { manager: { env } }) };
}

/** For containers a plain number below a million would be MiB (protocol h). */
function containerMemory(memory: NewJob['memory']): string | undefined {
  return typeof memory === 'number' ? `${Math.ceil(memory / 1024)}Ki` : memory;
}

function given<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}
