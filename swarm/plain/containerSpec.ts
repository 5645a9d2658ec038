import type { ContainerCreateOptions } from 'dockerode';
import type { WorkRequest } from '../../lib/jobs/container/engine.ts';
import { readingInput, splitIntoWords } from '../../lib/jobs/container/words.ts';
import { NAME_LABEL, ownerLabels, WORKERS_LABEL } from '../labels.ts';
import { envOf, mountsOf } from '../service/serviceSpec.ts';

/**
 * How long a container has between the signal and SIGKILL when somebody else stops it: what Docker gives by itself. Podman
 * would give those that come through its socket no time at all.
 */
const STOP_SECONDS = 10;

/**
 * The name of the first container of some work: the work's own. Engines take none of one character, which a swarm does, and
 * clients count their jobs from 1.
 */
export function containerName(name: string): string {
  return name.length === 1 ? `${name}.1` : name;
}

/** The names of the containers of some work, one a worker. */
export function containerNames({ name, options }: WorkRequest): readonly string[] {
  return Array.from({ length: options.workers ?? 1 }, (_, i) =>
    i === 0 ? containerName(name) : `${name}.${i + 1}`,
  );
}

/**
 * A worker's container but for its name: what the nodes of a swarm would make of the service.
 * @param cpus the limit that the engine can keep
 * @throws BadRequestError for a relative path to mount, or a command that is no words
 */
export function containerSpec(
  request: WorkRequest,
  cpus: number | undefined,
): ContainerCreateOptions {
  const { name, image, cmd, owner, options } = request;
  const { limits = {}, env, user, cwd } = options;
  const { memoryBytes, gpus } = limits;
  const { shareDir } = request;
  const { mounts } = options;
  const words = splitIntoWords(cmd);
  return {
    Image: image,
    Entrypoint: request.input === undefined ? words : readingInput(words),
    Tty: options.tty ?? false,
    StopTimeout: STOP_SECONDS,
    Labels: {
      ...options.labels,
      ...ownerLabels(owner),
      [NAME_LABEL]: name,
      [WORKERS_LABEL]: String(options.workers ?? 1),
    },
    ...(env && { Env: envOf(env) }),
    ...(user !== undefined && { User: user }),
    ...(cwd !== undefined && { WorkingDir: cwd }),
    HostConfig: {
      Mounts: mountsOf({ ...(shareDir !== undefined && { shareDir }), ...(mounts && { mounts }) }),
      ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
      ...(memoryBytes !== undefined && { Memory: memoryBytes }),
      ...(gpus && {
        DeviceRequests: [{ Driver: '', Count: gpus, Capabilities: [['gpu']] }],
      }),
    },
  };
}
