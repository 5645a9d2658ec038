import type { KubernetesSettings } from '../lib/config/kubernetes.ts';
import type { WorkRequest } from '../lib/jobs/container/engine.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import { objectName } from './objectNames.ts';
import { inputVolume } from './podInput.ts';

export interface Volumes {
  readonly volumes: readonly JsonObject[];
  readonly mounts: readonly JsonObject[];
  /** Whether a folder of a node is among them, with that node's owners and rights. */
  readonly hasHostPath: boolean;
}

/** The names of pman 2.2.4 (protocol h). */
export const SHARED_VOLUME = 'shared-volume';
const SHARE = '/share';

/** The claim of a job under `swift`. */
export const claimName = (name: string) => `${objectName(name)}-storage-claim`;

/** What a job's container sees of folders. A shareDir is a folder of the node, or of the claim (see clusterShares). */
export function volumesOf(request: WorkRequest, settings: KubernetesSettings): Volumes {
  const share = sharedVolume(request, settings);
  const others = (request.options.mounts ?? []).map(({ source, target, readOnly }, i) => {
    const name = `mount-${i}`;
    const isFolder = source.includes('/');
    const from = isFolder
      ? { hostPath: { path: source, type: 'Directory' } }
      : { persistentVolumeClaim: { claimName: source, ...(readOnly && { readOnly }) } };
    const volume: JsonObject = { name, ...from };
    const mount: JsonObject = { name, mountPath: target, readOnly };
    return { volume, mount, isFolder };
  });
  const shm = settings.shmBytes;
  const input = request.input === undefined ? undefined : inputVolume();
  return {
    volumes: [
      share.volume,
      ...others.map(({ volume }) => volume),
      ...(shm === undefined
        ? []
        : [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: String(shm) } }]),
      ...(input === undefined ? [] : [input.volume]),
    ],
    mounts: [
      share.mount,
      ...others.map(({ mount }) => mount),
      ...(shm === undefined ? [] : [{ name: 'shm', mountPath: '/dev/shm' }]),
      ...(input === undefined ? [] : [input.mount]),
    ],
    hasHostPath: 'hostPath' in share.volume || others.some(({ isFolder }) => isFolder),
  };
}

interface Shared {
  readonly volume: JsonObject;
  readonly mount: JsonObject;
}

function sharedVolume(request: WorkRequest, settings: KubernetesSettings): Shared {
  const { shareDir, name, owner } = request;
  const { storage } = settings;
  const mount = { mountPath: SHARE, name: SHARED_VOLUME };
  switch (storage.kind) {
    case 'swift':
      return { volume: claimed(claimName(name)), mount };
    case 'pvc': {
      const subPath = shareDir ?? `key-${owner.jid || name}`;
      return { volume: claimed(storage.claim), mount: { ...mount, subPath } };
    }
    case 'hostPath': {
      if (shareDir === undefined) {
        // What it leaves there goes with it.
        return { volume: { name: SHARED_VOLUME, emptyDir: {} }, mount };
      }
      const path = shareDir;
      return { volume: { name: SHARED_VOLUME, hostPath: { path } }, mount };
    }
  }
}

const claimed = (claim: string): JsonObject => ({
  name: SHARED_VOLUME,
  persistentVolumeClaim: { claimName: claim },
});
