import type { JsonObject } from '../lib/wire/json.ts';

/** Where the folder `/share` of a job comes from. */
export type Storage =
  /** A folder of the node. */
  | { readonly kind: 'hostPath' }
  /** A folder of a claim that is there. */
  | { readonly kind: 'pvc'; readonly claim: string }
  /** A claim for each job, filled and emptied by containers before and beside it (protocol h). */
  | { readonly kind: 'swift'; readonly publisherImage: string };

/** What the operator has set for Jobs in a cluster. */
export interface KubernetesSettings {
  /** Undefined: $KUBECONFIG, ~/.kube/config, or the service account of the pod that pman runs in. */
  readonly kubeconfig: string | undefined;
  /** Undefined: that of the kubeconfig's context, or of the pod. */
  readonly namespace: string | undefined;
  readonly storage: Storage;
  /** The folder that stands for the parent of every shareDir: of nodes, or of what the claim holds. */
  readonly storeBase: string | undefined;
  /** How long an image may fail to come, or a container to start, in milliseconds. */
  readonly startLimitMs: number;
  /** How long a job may take that names no limit, in milliseconds; undefined: as long as it likes. */
  readonly deadlineMs: number | undefined;
  /** `restricted` and `baseline` as in Kubernetes' Pod Security Standards; `image`: what the image says. */
  readonly podSecurity: 'restricted' | 'baseline' | 'image';
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly fsGroup: number | undefined;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly string[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly serviceAccount: string | undefined;
  readonly priorityClass: string | undefined;
  /** The size of /dev/shm; undefined: the node's, 64 MiB. */
  readonly shmBytes: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What a GPU is called there. */
  readonly gpuResource: string;
  /** A file with a pod (YAML or JSON), under what pman sets: tolerations, affinity and the like. */
  readonly podTemplate: string | undefined;
}

/** As a cluster is used by one who has set nothing. */
export const DEFAULT_SETTINGS: KubernetesSettings = {
  kubeconfig: undefined,
  namespace: undefined,
  storage: { kind: 'hostPath' },
  storeBase: undefined,
  startLimitMs: 300_000,
  deadlineMs: 3_600_000,
  podSecurity: 'restricted',
  runAsUser: undefined,
  runAsGroup: undefined,
  fsGroup: undefined,
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  nodeSelector: {},
  serviceAccount: undefined,
  priorityClass: undefined,
  shmBytes: undefined,
  labels: {},
  annotations: {},
  gpuResource: 'nvidia.com/gpu',
  podTemplate: undefined,
};

/** What is known of the cluster, and of the file of the settings, when a Job is made. */
export interface ClusterFacts {
  /** It gives each namespace users of its own: pods name none. */
  readonly isOpenShift: boolean;
  /** Whether each worker can fail by itself (1.29 and later). */
  readonly hasLimitPerIndex: boolean;
  /** The pod that jobs are made from. */
  readonly template: JsonObject;
}
