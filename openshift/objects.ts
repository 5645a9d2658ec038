import { z } from 'zod';

/** What is read of the objects of the Kubernetes API; whatever else they hold is ignored. */

const texts = z.record(z.string(), z.string());
const whole = z.number().int();

const metadata = z.object({
  name: z.string(),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
  labels: texts.default({}),
  annotations: texts.default({}),
  ownerReferences: z.array(z.object({ kind: z.string(), uid: z.string() })).default([]),
});

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  lastTransitionTime: z.string().nullish(),
});
export type Condition = z.infer<typeof condition>;

const said = { reason: z.string().nullish(), message: z.string().nullish() };
const containerStatus = z.object({
  name: z.string(),
  image: z.string().default(''),
  containerID: z.string().nullish(),
  state: z
    .object({
      waiting: z.object(said).nullish(),
      running: z.object({ startedAt: z.string().nullish() }).nullish(),
      terminated: z
        .object({
          ...said,
          exitCode: whole,
          signal: whole.nullish(),
          startedAt: z.string().nullish(),
          finishedAt: z.string().nullish(),
        })
        .nullish(),
    })
    .default({}),
});
export type ContainerStatus = z.infer<typeof containerStatus>;

const container = z.object({
  name: z.string(),
  image: z.string().default(''),
  resources: z
    .object({ limits: z.record(z.string(), z.union([z.string(), z.number()])).nullish() })
    .nullish(),
});

export const podSchema = z.object({
  metadata,
  spec: z.object({
    nodeName: z.string().nullish(),
    activeDeadlineSeconds: whole.nullish(),
    containers: z.array(container),
  }),
  status: z
    .object({
      phase: z.string().default('Pending'),
      ...said,
      startTime: z.string().nullish(),
      conditions: z.array(condition).default([]),
      initContainerStatuses: z.array(containerStatus).default([]),
      containerStatuses: z.array(containerStatus).default([]),
    })
    .prefault({}),
});
export type Pod = z.infer<typeof podSchema>;

export const jobSchema = z.object({
  metadata,
  spec: z.object({ completions: whole.nullish(), suspend: z.boolean().nullish() }).prefault({}),
  status: z
    .object({
      active: whole.nullish(),
      failed: whole.nullish(),
      succeeded: whole.nullish(),
      startTime: z.string().nullish(),
      completionTime: z.string().nullish(),
      conditions: z.array(condition).default([]),
    })
    .prefault({}),
});
export type Job = z.infer<typeof jobSchema>;

/** A warning: why a pod or a job does not come on. */
export const eventSchema = z.object({
  metadata,
  involvedObject: z.object({ kind: z.string().default(''), uid: z.string().default('') }),
  reason: z.string().default(''),
  message: z.string().default(''),
});
export type KubeEvent = z.infer<typeof eventSchema>;

/** What every object has that is watched. */
export interface KubeObject {
  readonly metadata: z.infer<typeof metadata>;
}

export const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().default('') }),
  items: z.array(z.unknown()).default([]),
});

/** A line of a watch. */
export const watchLineSchema = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.looseObject({}),
});

export const statusSchema = z.object({
  code: z.number().default(0),
  reason: z.string().default(''),
  message: z.string().default(''),
});

/** The condition of a type that holds. */
export function conditionOf(
  { status }: { readonly status: { readonly conditions: readonly Condition[] } },
  type: string,
): Condition | undefined {
  return status.conditions.find((one) => one.type === type && one.status === 'True');
}
