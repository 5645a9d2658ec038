import type { WorkRequest } from '../lib/jobs/container/engine.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import { claimName, SHARED_VOLUME } from './podVolumes.ts';

/** How swift brings a job its data and takes away what it makes: as pman 2.2.4 (protocol h). */

const RESOURCES = {
  limits: { memory: '1024Mi', cpu: '2000m' },
  requests: { memory: '150Mi', cpu: '250m' },
} as const;

const credentials = { name: 'swift-credentials', mountPath: '/etc/swift', readOnly: true };
const local = { name: 'local-volume', mountPath: '/local' };
const shared = { name: SHARED_VOLUME, mountPath: '/share' };

/** The claim that a job's data lies in meanwhile. */
export function storageClaim(name: string, marks: JsonObject): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claimName(name), ...marks },
    spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '2Gi' } } },
  };
}

export interface SwiftParts {
  readonly initContainers: readonly JsonObject[];
  readonly containers: readonly JsonObject[];
  readonly volumes: readonly JsonObject[];
}

/** The containers before and beside the job, and what they see. */
export function swiftParts(
  { owner, name, cmd, options }: WorkRequest,
  { image, namespace }: { readonly image: string; readonly namespace: string },
): SwiftParts {
  const key = owner.jid || name;
  // pman 2.2.4: the last two words of the command are its folders.
  const [outgoing = '', incoming = ''] = cmd.trim().split(/\s+/).reverse();
  const common = { image, resources: RESOURCES };
  return {
    initContainers: [
      {
        ...{ name: 'init-storage', ...common },
        command: ['python3', 'get_data.py'],
        env: variables({ SWIFT_KEY: key, INCOMING_DIR: incoming, OUTGOING_DIR: outgoing }),
        volumeMounts: [shared, credentials, local],
      },
    ],
    containers: [
      {
        ...{ name: 'publish', ...common },
        command: ['python3', 'put_data.py'],
        env: variables({
          SWIFT_KEY: key,
          NUMBER_OF_WORKERS: String(options.workers ?? 1),
          KUBECFG_PATH: '/tmp/.kube/config',
          OPENSHIFTMGR_PROJECT: namespace,
          OUTGOING_DIR: outgoing,
        }),
        volumeMounts: [
          shared,
          credentials,
          { name: 'kubecfg-volume', mountPath: '/tmp/.kube/', readOnly: true },
          local,
        ],
      },
    ],
    volumes: [
      { name: 'swift-credentials', secret: { secretName: 'swift-credentials' } },
      { name: 'kubecfg-volume', secret: { secretName: 'kubecfg' } },
      { name: 'local-volume', emptyDir: {} },
    ],
  };
}

const variables = (all: Readonly<Record<string, string>>): readonly JsonObject[] =>
  Object.entries(all).map(([name, value]) => ({ name, value }));

/** What the containers of a pod have written, in the form of the original. */
export async function swiftLogs(
  main: string,
  read: (container: string) => Promise<string>,
): Promise<string> {
  const [init, plugin, publish] = await Promise.all([
    read('init-storage'),
    read(main),
    read('publish'),
  ]);
  return `init_container log:${init}plugin_container log:${plugin}publish_container log:${publish}`;
}
