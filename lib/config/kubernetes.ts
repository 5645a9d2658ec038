import { resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { SettingValues } from './settingValues.ts';
import type { Setting, Sources } from './sources.ts';

/** The settings for jobs in a cluster, `--container-env openshift` or `kubernetes`. */
export const kubernetesSettings = [
  {
    name: 'kubeconfig',
    value: 'file',
    help: "the cluster, and who asks it (default: $KUBECFG_PATH, $KUBECONFIG, ~/.kube/config, or the pod's service account)",
    default: '',
  },
  {
    name: 'namespace',
    value: 'name',
    help: 'where jobs are made (default: $OPENSHIFTMGR_PROJECT, or that of the kubeconfig, else myproject)',
    default: '',
  },
  {
    name: 'storageType',
    value: 'hostPath|pvc|swift',
    help: 'where /share of a job comes from (default: $STORAGE_TYPE; pvc when --sharePvc is given, else hostPath)',
    default: '',
  },
  {
    name: 'sharePvc',
    value: 'name',
    help: 'the claim that holds the folders of jobs: a shareDir is a folder in it, below $STOREBASE',
    default: '',
  },
  {
    name: 'publisherImage',
    value: 'image',
    help: 'under swift: what brings the data and takes it away',
    default: 'fnndsc/pman-swift-publisher',
  },
  {
    name: 'startLimit',
    value: 'seconds',
    help: 'how long an image may fail to come, or a container to start, before the job ends',
    default: '300',
  },
  {
    name: 'jobDeadline',
    value: 'seconds',
    help: 'how long the cluster lets a job run that names no timeout; 0: as long as it likes',
    default: '3600',
  },
  {
    name: 'podSecurity',
    value: 'restricted|baseline|image',
    help: 'the security profile of pods; image: what the image says',
    default: 'restricted',
  },
  {
    name: 'runAsUser',
    value: 'uid',
    help: 'as whom jobs run that name no user (default: 1000 under restricted, but on OpenShift)',
    default: '',
  },
  { name: 'runAsGroup', value: 'gid', help: 'their group', default: '' },
  {
    name: 'fsGroup',
    value: 'gid',
    help: 'the group that owns the volumes of a job (default: the group, or the user, that it runs as)',
    default: '',
  },
  {
    name: 'imagePullPolicy',
    value: 'Always|IfNotPresent|Never',
    help: 'when nodes fetch images',
    default: 'IfNotPresent',
  },
  {
    name: 'imagePullSecrets',
    value: 'list',
    help: 'secrets of the namespace with passwords of registries',
    default: '',
    repeatable: true,
  },
  {
    name: 'nodeSelector',
    value: 'list',
    help: 'labels of the nodes that jobs may run on: key=value, with commas between',
    default: '',
    repeatable: true,
  },
  {
    name: 'serviceAccount',
    value: 'name',
    help: 'the service account of pods (default: none, and no token)',
    default: '',
  },
  { name: 'priorityClass', value: 'name', help: 'the priority class of pods', default: '' },
  {
    name: 'shmSize',
    value: 'MiB',
    help: "the size of /dev/shm (default: the node's, 64)",
    default: '',
  },
  {
    name: 'podLabels',
    value: 'list',
    help: 'labels of pods: key=value, with commas between',
    default: '',
    repeatable: true,
  },
  {
    name: 'podAnnotations',
    value: 'list',
    help: 'annotations of pods: key=value, with commas between',
    default: '',
    repeatable: true,
  },
  {
    name: 'gpuResource',
    value: 'name',
    help: 'what a GPU is called in the cluster',
    default: 'nvidia.com/gpu',
  },
  {
    name: 'podTemplate',
    value: 'file',
    help: 'a pod, YAML or JSON, that jobs are made from: tolerations, affinity, sidecars; its container "job" is that of the job',
    default: '',
  },
] as const satisfies readonly Setting[];

const MEBI = 1024 * 1024;
/** Kubernetes takes no more for a time limit. */
const MAX_SECONDS = 2 ** 31 - 1;

const optional = z.string().transform((text) => text.trim() || undefined);
const seconds = z
  .string()
  .trim()
  .regex(/^\d+(\.\d+)?$/, 'is not a number of seconds')
  .transform(Number)
  .refine((value) => value <= MAX_SECONDS, `is more than ${MAX_SECONDS}`)
  .transform((value) => Math.round(value * 1000));
const id = z
  .string()
  .trim()
  .regex(/^\d{0,10}$/, 'is no number of a user or a group')
  .transform((text) => (text === '' ? undefined : Number(text)));
const list = z.string().transform((text) => text.split(/[\s,]+/).filter((one) => one !== ''));
const pairs = list
  .refine((all) => all.every((one) => /^[^=]+=/.test(one)), 'is no list of key=value')
  .transform((all) =>
    Object.fromEntries(
      all.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
    ),
  );
const file = z.string().transform((text) => (text === '' ? undefined : resolve(text)));

export const kubernetesSchema = {
  kubeconfig: file,
  namespace: optional,
  storageType: z.string().trim(),
  sharePvc: optional,
  publisherImage: z.string().trim().min(1, 'is empty'),
  startLimit: seconds,
  jobDeadline: seconds,
  podSecurity: z.enum(
    ['restricted', 'baseline', 'image'],
    'is none of restricted, baseline, image',
  ),
  runAsUser: id,
  runAsGroup: id,
  fsGroup: id,
  imagePullPolicy: z.enum(
    ['Always', 'IfNotPresent', 'Never'],
    'is none of Always, IfNotPresent, Never',
  ),
  imagePullSecrets: list,
  nodeSelector: pairs,
  serviceAccount: optional,
  priorityClass: optional,
  shmSize: z
    .string()
    .trim()
    .regex(/^\d{0,7}$/, 'is no whole number of MiB')
    .transform((text) => (text === '' ? undefined : Number(text) * MEBI)),
  podLabels: pairs,
  podAnnotations: pairs,
  gpuResource: z.string().trim().min(1, 'is empty'),
  podTemplate: file,
};

type Values = z.infer<z.ZodObject<typeof kubernetesSchema>>;

/** Where the folder `/share` of a job comes from. */
export type Storage =
  /** A folder of the node. */
  | { readonly kind: 'hostPath' }
  /** A folder of a claim that is there. */
  | { readonly kind: 'pvc'; readonly claim: string }
  /** A claim for each job, filled and emptied by containers before and beside it (protocol h). */
  | { readonly kind: 'swift'; readonly publisherImage: string };

/** What the operator has set for jobs in a cluster, checked. */
export interface KubernetesSettings {
  /** Undefined: $KUBECONFIG, ~/.kube/config, or the service account of the pod that pman runs in. */
  readonly kubeconfig: string | undefined;
  /** Undefined: that of the kubeconfig's context, or of the pod. */
  readonly namespace: string | undefined;
  readonly storage: Storage;
  /** The folder that stands for the parent of every shareDir: of nodes, or where the claim is mounted. */
  readonly storeBase: string | undefined;
  /** How long an image may fail to come, or a container to start, in milliseconds. */
  readonly startLimitMs: number;
  /** How long a job may take that names no limit, in milliseconds; undefined: as long as it likes. */
  readonly deadlineMs: number | undefined;
  /** `restricted` and `baseline` as in Kubernetes' Pod Security Standards; `image`: what the image says. */
  readonly podSecurity: Values['podSecurity'];
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly fsGroup: number | undefined;
  readonly imagePullPolicy: Values['imagePullPolicy'];
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
  /** A file with a pod (YAML or JSON), under what pman sets. */
  readonly podTemplate: string | undefined;
}

/** The settings by their values, and by the variables of the original. */
export function toKubernetes(values: Values, env: Sources['env']): KubernetesSettings {
  return {
    kubeconfig: values.kubeconfig ?? (env.KUBECFG_PATH ? resolve(env.KUBECFG_PATH) : undefined),
    namespace: values.namespace ?? (env.OPENSHIFTMGR_PROJECT || undefined),
    storage: storageOf(values, env.STORAGE_TYPE),
    storeBase: env.STOREBASE || undefined,
    startLimitMs: values.startLimit,
    deadlineMs: values.jobDeadline === 0 ? undefined : values.jobDeadline,
    podSecurity: values.podSecurity,
    runAsUser: values.runAsUser,
    runAsGroup: values.runAsGroup,
    fsGroup: values.fsGroup,
    imagePullPolicy: values.imagePullPolicy,
    imagePullSecrets: values.imagePullSecrets,
    nodeSelector: values.nodeSelector,
    serviceAccount: values.serviceAccount,
    priorityClass: values.priorityClass,
    shmBytes: values.shmSize,
    labels: values.podLabels,
    annotations: values.podAnnotations,
    gpuResource: values.gpuResource,
    podTemplate: values.podTemplate,
  };
}

/** pman 2.2.4: whatever STORAGE_TYPE says but `swift` is hostPath. */
function storageOf({ storageType, sharePvc, publisherImage }: Values, variable = ''): Storage {
  const asked = (storageType || variable).toLowerCase();
  if (asked === 'swift') return { kind: 'swift', publisherImage };
  if (sharePvc !== undefined && asked !== 'hostpath') return { kind: 'pvc', claim: sharePvc };
  return { kind: 'hostPath' };
}

/** The settings by their names, as the flags have them. */
export type KubernetesOptions = SettingValues<z.input<z.ZodObject<typeof kubernetesSchema>>>;

/**
 * The settings that these options mean; what is not among them is as by default.
 * @throws UsageError naming the setting, and what is wrong with its value
 */
export function kubernetesOf(options: KubernetesOptions, env: Sources['env']): KubernetesSettings {
  const defaults = kubernetesSettings.map((one) => [one.name, one.default]);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const texts = [...defaults, ...given].map(([name, value]) => [name, String(value)]);
  const { data, error } = z.strictObject(kubernetesSchema).safeParse(Object.fromEntries(texts));
  if (data !== undefined) return toKubernetes(data, env);
  const problems = error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  throw new UsageError(problems.join('; '));
}

/** What is set where nobody sets anything. */
export function defaultKubernetes(): KubernetesSettings {
  return kubernetesOf({}, {});
}
