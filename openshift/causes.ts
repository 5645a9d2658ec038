import { timeIn } from '../lib/host/stamps.ts';
import {
  CAUSES,
  causeOf,
  exitCause,
  KILLED_EXIT,
  memoryCause,
  startCause,
} from '../lib/jobs/causeWords.ts';
import {
  type Condition,
  type ContainerStatus,
  conditionOf,
  type Job,
  type Pod,
} from './objects.ts';
import type { KnownWork } from './workCache.ts';

/** Why a job waits, or ended otherwise than well, in words. docs/openshift.md has them as a table,
 * lib/jobs/causeWords.ts the words that all engines have in common. */

/** What keeps a pod from running, and whether waiting may help: `never` it does not, `perhaps` for some time, `yes` as long as one likes. */
export interface Hindrance {
  readonly cause: string;
  readonly helpsToWait: 'never' | 'perhaps' | 'yes';
}

/** An exit code of no command: the node does not know how it ended. */
const UNKNOWN_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);
/** The command has not run: the exit code is made up. */
const NOT_RUN: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);

/** The main container: the first, whatever a template adds. */
export function mainStatus(pod: Pod): ContainerStatus | undefined {
  const [main] = pod.spec.containers;
  return pod.status.containerStatuses.find(({ name }) => name === main?.name);
}

/** The exit code of a pod's command; null while it runs, and when nobody knows it. */
export function exitCodeOf(pod: Pod): number | null {
  const main = mainStatus(pod);
  // Of a pod that has succeeded each container has ended with 0.
  if (main === undefined && pod.status.phase === 'Succeeded') return 0;
  const ended = main?.state.terminated;
  if (!ended || UNKNOWN_ENDS.has(ended.reason ?? '') || neverRan(ended)) return null;
  return ended.exitCode;
}

/** When a pod's command ended, in milliseconds since 1970. */
export function endedAtOf(pod: Pod): number | undefined {
  return timeIn(mainStatus(pod)?.state.terminated?.finishedAt);
}

type Terminated = NonNullable<ContainerStatus['state']['terminated']>;

/** Whether its command was never started: then the node may show an exit code of its own making. */
function neverRan({ reason, startedAt }: Terminated): boolean {
  return NOT_RUN.has(reason ?? '') || /^(1970|0001)-01-01/.test(startedAt ?? '');
}

/** Whether a container of a pod has run on a node that is not lost: then there is an output of it. */
export function hasStarted(pod: Pod, container: string): boolean {
  if (causeOfLoss(pod) !== undefined) return false;
  const { containerStatuses, initContainerStatuses } = pod.status;
  const found = [...containerStatuses, ...initContainerStatuses].find(
    ({ name }) => name === container,
  );
  const { running, terminated } = found?.state ?? {};
  if (!terminated) return running != null;
  return !UNKNOWN_ENDS.has(terminated.reason ?? '') && !neverRan(terminated);
}

/** Whether nobody can say how a pod's command has ended. */
export function endIsUnknown(pod: Pod): boolean {
  const ended = mainStatus(pod)?.state.terminated;
  if (ended) return UNKNOWN_ENDS.has(ended.reason ?? '');
  // It had started, and its node never said how it ended.
  return pod.status.phase !== 'Failed' && pod.status.phase !== 'Succeeded'
    ? mainStatus(pod)?.state.running != null
    : false;
}

/** Why a pod that has ended did not end well; undefined when it did. */
export function causeOfEnd(pod: Pod): string | undefined {
  const main = mainStatus(pod);
  const ended = main?.state.terminated;
  const reason = ended?.reason ?? '';
  if (reason === 'OOMKilled') return outOfMemory(pod, ended?.exitCode ?? KILLED_EXIT);
  const disrupted = conditionOf(pod, 'DisruptionTarget');
  if (pod.status.reason === 'Evicted') {
    return causeOf('node', `the pod was evicted: ${pod.status.message || 'it lacked something'}`);
  }
  if (pod.status.reason === 'DeadlineExceeded') {
    const seconds = pod.spec.activeDeadlineSeconds;
    return `${CAUSES.timeLimit} ${seconds} s: kept by the cluster (DeadlineExceeded)`;
  }
  if (disrupted !== undefined) return disruption(pod, disrupted);
  if (UNKNOWN_ENDS.has(reason)) {
    return causeOf('unknown', `node ${pod.spec.nodeName ?? '?'} lost the container`);
  }
  if (ended && neverRan(ended)) return startCause(startError(ended.message), 'command');
  const failedInit = pod.status.initContainerStatuses.find(
    ({ state }) => state.terminated && state.terminated.exitCode !== 0,
  );
  if (failedInit !== undefined) {
    const { exitCode, message } = failedInit.state.terminated ?? {};
    const code = `"${failedInit.name}", which runs before the job, ended with ${exitCode}`;
    return causeOf('beside', message ? `${code}: ${message}` : code);
  }
  if (ended && ended.exitCode !== 0) return exitCause(ended.exitCode);
  const failedOther = pod.status.containerStatuses.find(
    ({ state }) => state.terminated && state.terminated.exitCode !== 0,
  );
  if (failedOther !== undefined) {
    const { exitCode } = failedOther.state.terminated ?? {};
    return causeOf('beside', `"${failedOther.name}" ended with ${exitCode}`);
  }
  if (pod.status.phase === 'Failed') {
    const why = pod.status.message || pod.status.reason || 'no reason was given';
    return causeOf('node', `the pod failed: ${why}`);
  }
  if (pod.metadata.deletionTimestamp && pod.status.phase !== 'Succeeded') {
    return causeOf('removed', 'the pod');
  }
  return undefined;
}

/** Why nobody knows whether a pod still runs: its node is not heard of. Undefined for one that is. */
export function causeOfLoss(pod: Pod): string | undefined {
  const isLost = pod.status.reason === 'NodeLost' || pod.status.phase === 'Unknown';
  const disrupted = conditionOf(pod, 'DisruptionTarget');
  const isGivenUp = disrupted?.reason === 'DeletionByTaintManager';
  if (!isLost && !isGivenUp) return undefined;
  const node = pod.spec.nodeName ?? '?';
  return causeOf('nodeLost', `${node}: what its container does is not known`);
}

/** What keeps a pod from running; undefined when nothing is known to. */
export function hindranceOf(pod: Pod, warnings: KnownWork['warnings']): Hindrance | undefined {
  const scheduled = pod.status.conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    const why = scheduled.message || 'no reason was given';
    const word = scheduled.reason === 'SchedulingGated' ? 'waits' : 'place';
    return { cause: causeOf(word, `${scheduled.reason}: ${why}`), helpsToWait: 'yes' };
  }
  const statuses = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses];
  for (const status of statuses) {
    const found = waitingCause(pod, status);
    if (found !== undefined) return found;
  }
  const warning = warnings.get(pod.metadata.uid);
  if (warning === undefined || pod.status.phase !== 'Pending') return undefined;
  const words = `${warning.reason}: ${warning.message}`;
  if (warning.reason !== 'FailedMount' && warning.reason !== 'FailedAttachVolume') {
    return { cause: causeOf('waits', words), helpsToWait: 'yes' };
  }
  const cause = causeOf('mount', words);
  // A folder of the node that is not there does not come; a volume may.
  const isLacking = /hostPath type check failed/.test(warning.message);
  return { cause, helpsToWait: isLacking ? 'never' : 'perhaps' };
}

function waitingCause(pod: Pod, { name, state }: ContainerStatus): Hindrance | undefined {
  const { reason, message } = state.waiting ?? {};
  const image = pod.spec.containers.find((one) => one.name === name)?.image ?? '';
  switch (reason ?? '') {
    case 'ErrImageNeverPull':
      return {
        cause: causeOf(
          'image',
          `${image} is not on the node, and is not to be fetched (ErrImageNeverPull)`,
        ),
        helpsToWait: 'never',
      };
    case 'InvalidImageName':
      return { cause: causeOf('imageName', `${image} (InvalidImageName)`), helpsToWait: 'never' };
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError':
      return {
        cause: causeOf('image', `${image} cannot be fetched (${reason}): ${message ?? ''}`),
        helpsToWait: 'perhaps',
      };
    case 'CreateContainerConfigError': {
      const isRoot = /runAsNonRoot/.test(message ?? '');
      const hint = isRoot ? ' (name a user: meta.container.target.user or --runAsUser)' : '';
      return {
        cause: causeOf('refused', `${reason}: ${message ?? ''}${hint}`),
        helpsToWait: isRoot ? 'never' : 'perhaps',
      };
    }
    case 'CreateContainerError':
    case 'RunContainerError':
      return {
        cause: startCause(`${reason}: ${message ?? ''}`),
        helpsToWait: 'perhaps',
      };
    default:
      return undefined;
  }
}

/** What keeps a Job from having pods. */
export function hindranceOfJob(job: Job, warnings: KnownWork['warnings']): Hindrance | undefined {
  if (job.spec.suspend)
    return { cause: causeOf('waits', 'the Job is suspended'), helpsToWait: 'yes' };
  const warning = warnings.get(job.metadata.uid);
  if (warning?.reason !== 'FailedCreate') return undefined;
  const words = `no pod of it is taken: ${warning.message.replace(/^Error creating: /, '')}`;
  // A quota is freed by other jobs that end, and a new namespace has its own account a moment later; what is forbidden
  // otherwise stays so.
  const isForbidden = /is forbidden|violates PodSecurity|denied the request|is invalid/.test(words);
  const isPassing = /exceeded quota|serviceaccount "default" not found/.test(words);
  const isRefused = isForbidden && !isPassing;
  return isRefused
    ? { cause: causeOf('refused', words), helpsToWait: 'never' }
    : { cause: causeOf('waits', words), helpsToWait: 'yes' };
}

/** Why a Job has failed by the word of the cluster, for one whose pods do not say. */
export function causeOfJob(failed: Condition | undefined): string | undefined {
  if (failed === undefined) return undefined;
  if (failed.reason === 'DeadlineExceeded') {
    return causeOf('timeLimit', 'kept by the cluster (DeadlineExceeded)');
  }
  const why = failed.message || 'no message was given';
  return causeOf('unknown', `the Job failed (${failed.reason}): ${why}`);
}

function outOfMemory(pod: Pod, exitCode: number): string {
  const limit = pod.spec.containers[0]?.resources?.limits?.memory;
  return memoryCause(exitCode, limit === undefined ? undefined : String(limit));
}

function disruption(pod: Pod, { reason, message }: Condition): string {
  const node = pod.spec.nodeName ?? '?';
  switch (reason ?? '') {
    case 'PreemptionByScheduler':
      return causeOf('node', `a pod of a higher priority took its place: ${message ?? ''}`);
    case 'DeletionByTaintManager':
    case 'DeletionByPodGC':
      return causeOf('nodeLost', `${node}: ${message || reason}`);
    case 'EvictionByEvictionAPI':
      return causeOf('node', `the pod was evicted from ${node}: ${message ?? ''}`);
    default:
      return causeOf('node', `${node} (${reason}): ${message ?? ''}`);
  }
}

/** containerd's and runc's words without their wrapping. */
function startError(message: string | null | undefined): string {
  const text = message || 'no reason was given';
  return /exec: .*$/s.exec(text)?.[0] ?? text;
}
