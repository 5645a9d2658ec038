import { BadRequestError } from '../lib/errors.ts';
import type { Limits, WorkOptions } from '../lib/jobs/container/engine.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import { memoryText } from '../lib/wire/memoryText.ts';

/** pman 2.2.4: what a job may use that does not say, and what is set aside for each (protocol h). */
const DEFAULT = { milliCpus: 2000, memoryBytes: 1024 * 1024 * 1024 } as const;
const REQUESTED = { milliCpus: 250, memoryBytes: 150 * 1024 * 1024 } as const;
const MEBI = 1024 * 1024;
const LEAST_MEMORY = 6 * MEBI;

export interface Resources {
  readonly limits: Readonly<Record<string, string | number>>;
  readonly requests: Readonly<Record<string, string>>;
}

/** What a worker may use, and what is set aside for it, never more than it may use. */
export function resourcesOf({ cpus, memoryBytes, gpus }: Limits, gpuResource: string): Resources {
  const milli = cpus === undefined ? DEFAULT.milliCpus : Math.max(1, Math.round(cpus * 1000));
  const memory = memoryBytes ?? DEFAULT.memoryBytes;
  return {
    limits: {
      ...{ memory: memoryText(memory), cpu: `${milli}m` },
      ...(gpus ? { [gpuResource]: gpus } : {}),
    },
    requests: {
      memory: memoryText(Math.min(memory, REQUESTED.memoryBytes)),
      cpu: `${Math.min(milli, REQUESTED.milliCpus)}m`,
    },
  };
}

/** Finds what no node can do. @throws BadRequestError */
export function refuseLimits({ limits = {} }: WorkOptions): void {
  const { memoryBytes } = limits;
  if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY) {
    throw new BadRequestError(
      `run: "meta.memory_limit": ${memoryText(memoryBytes)} is less than 6Mi`,
    );
  }
}

/** What the original tells the command of its limits, and what NVIDIA's runtime wants to see. */
export function limitVariables(
  workers: number,
  { limits }: Resources,
  gpus: number | undefined,
): readonly JsonObject[] {
  const variables = {
    ...{ NUMBER_OF_WORKERS: String(workers), CPU_LIMIT: limits.cpu, MEMORY_LIMIT: limits.memory },
    ...(gpus
      ? {
          NVIDIA_VISIBLE_DEVICES: 'all',
          NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
          NVIDIA_REQUIRE_CUDA: 'cuda>=9.0',
        }
      : {}),
  };
  return Object.entries(variables).map(([name, value = '']) => ({ name, value: String(value) }));
}
