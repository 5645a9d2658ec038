import type { CreateServiceOptions, GenericResource, MountSettings } from 'dockerode';
import { BadRequestError } from '../../lib/errors.ts';
import type { Limits, Mount } from '../../lib/jobs/container/engine.ts';

export const restartPolicies = ['none', 'on-failure', 'any'] as const;
export type RestartPolicy = (typeof restartPolicies)[number];

/** Narrows a user's word to a restart policy; throws BadRequestError for another word. */
export function restartPolicyOf(text: string): RestartPolicy {
  const policy = restartPolicies.find((known) => known === text);
  if (policy) return policy;
  throw new BadRequestError(
    `the restart policy has to be one of ${restartPolicies.join(', ')}, not "${text}"`,
  );
}

/** What a user asks for: one command in one image, as a service. */
export interface ServiceRequest {
  readonly name: string;
  /** Any name an engine takes: local, of a registry, with a digest. */
  readonly image: string;
  readonly command: readonly string[];
  /** Default as swarm.py: 'on-failure', at once and for ever. */
  readonly restartPolicy?: RestartPolicy;
  /** A folder, or the name of a volume, that the container sees, writable, as /share. */
  readonly shareDir?: string;
  readonly mounts?: readonly Mount[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** User, or user:group, by name or number, in the container. */
  readonly user?: string;
  /** The folder that it starts in. */
  readonly cwd?: string;
  /** How many containers run the command; one unless given. */
  readonly workers?: number;
  /** `gpus`: devices that the node offers as the generic resource NVIDIA-GPU. */
  readonly limits?: Limits;
  /** Default as swarm.py: it has one, which nobody types on. */
  readonly tty?: boolean;
}

/**
 * The service as the engine's API wants it: with no more than asked for it is what docker-py makes for swarm.py.
 * @throws BadRequestError for a relative path to mount
 */
export function serviceSpec(request: ServiceRequest): CreateServiceOptions {
  const {
    name,
    image,
    command,
    labels,
    env,
    user,
    cwd,
    workers,
    restartPolicy = 'on-failure',
    tty = true,
  } = request;
  const resources = resourcesOf(request.limits);
  return {
    Name: name,
    ...(labels && { Labels: { ...labels } }),
    ...(workers !== undefined && { Mode: { Replicated: { Replicas: workers } } }),
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        Command: [...command],
        Mounts: mountsOf(request),
        TTY: tty,
        ...(labels && { Labels: { ...labels } }),
        ...(env && { Env: envOf(env) }),
        ...(user !== undefined && { User: user }),
        ...(cwd !== undefined && { Dir: cwd }),
      },
      ...(resources && { Resources: resources }),
      // Without a delay of 0 the engine would wait its own 5 seconds before it tries again.
      RestartPolicy: { Condition: restartPolicy, Delay: 0, MaxAttempts: 0, Window: 0 },
    },
  };
}

/** Where the original's containers have the shared folder. */
const SHARE = '/share';

/**
 * The folders that a container sees, as the engine's API wants them.
 * @throws BadRequestError for a relative path
 */
export function mountsOf({
  shareDir,
  mounts = [],
}: Pick<ServiceRequest, 'shareDir' | 'mounts'>): MountSettings[] {
  const share = shareDir ? [{ source: shareDir, target: SHARE, readOnly: false }] : [];
  const all = [...share, ...mounts];
  for (const { source } of all) {
    if (source.startsWith('/') || !source.includes('/')) continue;
    throw new BadRequestError(
      `cannot mount "${source}": it has to be an absolute path, or the name of a volume`,
      { hint: "A volume's name has no slash." },
    );
  }
  return all.map(({ source, target, readOnly }) => ({
    Target: target,
    Source: source,
    // docker-py: what does not begin with a slash is a volume's name.
    Type: source.startsWith('/') ? 'bind' : 'volume',
    ReadOnly: readOnly,
  }));
}

/** Variables as the engine's API wants them. */
export function envOf(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([key, value]) => `${key}=${value}`);
}

function resourcesOf(limits: Limits | undefined) {
  if (!limits) return undefined;
  const { cpus, memoryBytes, gpus } = limits;
  return {
    Limits: {
      ...(cpus !== undefined && { NanoCPUs: Math.round(cpus * 1e9) }),
      ...(memoryBytes !== undefined && { MemoryBytes: memoryBytes }),
    },
    ...(gpus && {
      Reservations: {
        // The API nests them in this key; @types/dockerode 4 does not.
        GenericResources: [
          { DiscreteResourceSpec: { Kind: 'NVIDIA-GPU', Value: gpus } } as GenericResource,
        ],
      },
    }),
  };
}
