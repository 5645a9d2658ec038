import type { KubernetesSettings } from '../lib/config/kubernetes.ts';
import { BadRequestError } from '../lib/errors.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import type { ClusterFacts } from './clusterFacts.ts';

/** As whom a job runs, and what it may do: for the pod, and for its containers. */
export interface PodSecurity {
  readonly pod: JsonObject;
  readonly container: JsonObject;
}

/** As whom jobs run where nobody says and root is not permitted. */
const SOMEBODY = 1000;

interface Asked {
  /** `uid` or `uid:gid`; undefined when the request names none. */
  readonly user: string | undefined;
  /** Whether it sees folders of a node: they have owners of their own, and the restricted profile has none of them. */
  readonly hasHostPath: boolean;
}

/**
 * What Kubernetes' Pod Security Standards want of a pod under a profile. On OpenShift the namespace gives users and groups.
 * @throws BadRequestError for a user that is no number
 */
export function podSecurity(
  { user, hasHostPath }: Asked,
  settings: KubernetesSettings,
  { isOpenShift }: Pick<ClusterFacts, 'isOpenShift'>,
): PodSecurity {
  const asked = userIn(user);
  const profile =
    settings.podSecurity === 'restricted' && hasHostPath ? 'baseline' : settings.podSecurity;
  const isRestricted = profile === 'restricted';
  const somebody = isRestricted && !isOpenShift ? SOMEBODY : undefined;
  const runAsUser = asked?.uid ?? settings.runAsUser ?? somebody;
  const runAsGroup = asked === undefined ? (settings.runAsGroup ?? somebody) : asked.gid;
  const fsGroup = settings.fsGroup ?? (isOpenShift ? undefined : (runAsGroup ?? runAsUser));
  const isRoot = runAsUser === 0;
  return {
    pod: {
      ...(isRestricted && !isRoot ? { runAsNonRoot: true } : {}),
      ...(runAsUser === undefined ? {} : { runAsUser }),
      ...(runAsGroup === undefined ? {} : { runAsGroup }),
      ...(fsGroup === undefined ? {} : { fsGroup, fsGroupChangePolicy: 'OnRootMismatch' }),
      ...(profile === 'image' ? {} : { seccompProfile: { type: 'RuntimeDefault' } }),
    },
    container: {
      ...(profile === 'image' ? {} : { allowPrivilegeEscalation: false }),
      ...(isRestricted ? { capabilities: { drop: ['ALL'] } } : {}),
    },
  };
}

function userIn(user: string | undefined) {
  if (user === undefined) return undefined;
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user) ?? [];
  if (uid === undefined) {
    throw new BadRequestError(
      `run: "meta.container.target.user": ${JSON.stringify(user.slice(0, 80))} is no number, and Kubernetes knows no names of users`,
      { hint: 'give the number of the user, or user:group: 1000:1000' },
    );
  }
  return { uid: Number(uid), gid: gid === undefined ? undefined : Number(gid) };
}
