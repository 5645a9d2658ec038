import type { KubernetesSettings } from '../lib/config/kubernetes.ts';
import type { WorkRequest } from '../lib/jobs/container/engine.ts';
import { readingInput, splitIntoWords } from '../lib/jobs/container/words.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/wire/json.ts';
import type { ClusterFacts } from './clusterFacts.ts';
import { mergedOver } from './merge.ts';
import { isLabel, LABELS_NOTE, objectName, ownerMarks } from './objectNames.ts';
import { withInput } from './podInput.ts';
import { podSecurity } from './podSecurity.ts';
import { volumesOf } from './podVolumes.ts';
import { limitVariables, resourcesOf } from './resources.ts';
import { type SwiftParts, swiftParts } from './swift.ts';

/** How long the cluster leaves a job beyond the time limit that pman keeps itself, in seconds: for when pman is away. */
const BEYOND_LIMIT_S = 60;
/** How long a pod has between SIGTERM and SIGKILL where pman does not see to that: the least that the node gives. In seconds. */
const POD_GRACE_S = 2;
/** What the job's container is called in the file of --podTemplate. */
const TEMPLATE_CONTAINER = 'job';

/**
 * The Job for a request (protocol h, and docs/openshift.md for what is ours).
 * @throws BadRequestError for a command that is no words, a user without a number, a folder that is not in the claim
 */
export function jobBody(
  request: WorkRequest,
  settings: KubernetesSettings,
  facts: ClusterFacts & { readonly namespace: string },
  input?: Buffer,
): JsonObject {
  const { name, owner, options } = request;
  const workers = options.workers ?? 1;
  const deadline = deadlineOf(request, settings);
  const marks = withInput(marksOf(request, settings), input);
  const ownLabels = ownerMarks(name, owner);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: objectName(name), ...ownLabels },
    spec: {
      ...{ parallelism: workers, completions: workers },
      ...(workers > 1 ? { completionMode: 'Indexed' } : {}),
      // A worker that fails is not tried again, and does not end the others, where the cluster can tell them apart.
      ...(workers > 1 && facts.hasLimitPerIndex
        ? { backoffLimitPerIndex: 0 }
        : { backoffLimit: 0 }),
      ...(facts.hasLimitPerIndex ? { podReplacementPolicy: 'Failed' } : {}),
      // The pod's own limit comes before: a pod that ends by it keeps its output, one that the Job ends is removed.
      ...(deadline === undefined ? {} : { activeDeadlineSeconds: deadline + BEYOND_LIMIT_S }),
      template: mergedOver(withContainerNamed(facts.template, objectName(name)), {
        metadata: { name: objectName(name), ...marks },
        spec: podSpec(request, settings, facts, deadline),
      }),
    },
  };
}

function podSpec(
  request: WorkRequest,
  settings: KubernetesSettings,
  facts: ClusterFacts & { readonly namespace: string },
  deadline: number | undefined,
): JsonObject {
  const { name, image, cmd, options } = request;
  const { storage } = settings;
  const { volumes, mounts, hasHostPath } = volumesOf(request, settings);
  const security = podSecurity({ user: options.user, hasHostPath }, settings, facts);
  const resources = resourcesOf(options.limits ?? {}, settings.gpuResource);
  const swift: SwiftParts =
    storage.kind === 'swift'
      ? swiftParts(request, { image: storage.publisherImage, namespace: facts.namespace })
      : { initContainers: [], containers: [], volumes: [] };
  const words = splitIntoWords(cmd);
  const main: JsonObject = {
    name: objectName(name),
    image,
    imagePullPolicy: settings.imagePullPolicy,
    command: (request.input === undefined ? words : readingInput(words)).map(literal),
    env: variablesOf(
      request,
      limitVariables(options.workers ?? 1, resources, options.limits?.gpus),
    ),
    resources: { limits: resources.limits, requests: resources.requests },
    volumeMounts: mounts,
    ...(options.cwd === undefined ? {} : { workingDir: options.cwd }),
    ...(options.tty ? { tty: true } : {}),
    securityContext: {
      ...security.container,
      // pman 2.2.4 takes these from those that get a GPU (protocol h).
      ...(options.limits?.gpus
        ? { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
        : {}),
    },
  };
  const { imagePullSecrets, nodeSelector, serviceAccount, priorityClass } = settings;
  const template = isJsonObject(facts.template.spec) ? facts.template.spec : {};
  return {
    restartPolicy: 'Never',
    ...('terminationGracePeriodSeconds' in template
      ? {}
      : { terminationGracePeriodSeconds: POD_GRACE_S }),
    ...(deadline === undefined ? {} : { activeDeadlineSeconds: deadline }),
    enableServiceLinks: false,
    ...(serviceAccount === undefined
      ? { automountServiceAccountToken: false }
      : { serviceAccountName: serviceAccount }),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
    ...(imagePullSecrets.length > 0
      ? { imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) }
      : {}),
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    securityContext: security.pod,
    ...(swift.initContainers.length > 0 ? { initContainers: swift.initContainers } : {}),
    containers: [main, ...swift.containers],
    volumes: [...volumes, ...swift.volumes],
  };
}

/** How long the pod may take, in whole seconds; undefined for as long as it likes. */
function deadlineOf({ timeoutMs }: WorkRequest, { deadlineMs }: KubernetesSettings) {
  if (timeoutMs !== undefined) return Math.ceil(timeoutMs / 1000) + BEYOND_LIMIT_S;
  return deadlineMs === undefined ? undefined : Math.max(1, Math.ceil(deadlineMs / 1000));
}

/** Labels and annotations of pods: ours win, then those of the request, then those of the settings. */
function marksOf({ name, owner, options }: WorkRequest, settings: KubernetesSettings): JsonObject {
  const asked = Object.entries(options.labels ?? {});
  const legal = asked.filter(([key, value]) => isLabel(key, value));
  const others = asked.filter(([key, value]) => !isLabel(key, value));
  const ours = ownerMarks(name, owner);
  return {
    labels: { ...settings.labels, ...Object.fromEntries(legal), ...ours.labels },
    annotations: {
      ...settings.annotations,
      ...(others.length > 0 ? { [LABELS_NOTE]: JSON.stringify(Object.fromEntries(others)) } : {}),
      ...ours.annotations,
    },
  };
}

/** The variables of the request come last, and win over those of the same name. */
function variablesOf({ options }: WorkRequest, ours: readonly JsonObject[]): readonly JsonValue[] {
  const env = new Map(Object.entries(options.env ?? {}));
  return [
    ...ours.filter(({ name }) => !env.has(String(name))),
    ...[...env].map(([name, value]) => ({ name, value: literal(value) })),
  ];
}

/** Kubernetes puts variables in the place of `$(NAME)`, and one dollar in that of two. */
function literal(text: string): string {
  return text.replace(/\$(?=[$(])/g, '$$$$');
}

/** The job's container has the name of the Job: a template cannot know it. */
function withContainerNamed(template: JsonObject, name: string): JsonObject {
  const { spec } = template;
  if (!isJsonObject(spec) || !Array.isArray(spec.containers)) return template;
  const containers = spec.containers.map((one: JsonValue) =>
    isJsonObject(one) && one.name === TEMPLATE_CONTAINER ? { ...one, name } : one,
  );
  return { ...template, spec: { ...spec, containers } };
}
