import {
  type Condition,
  type ContainerStatus,
  conditionOf,
  type Job,
  type Pod,
} from './objects.ts';
import type { KnownWork } from './workCache.ts';

/** Why a job waits, or ended otherwise than well, in words. docs/openshift.md has them as a table. */

/** What keeps a pod from running, and whether waiting may help: `never` it does not, `perhaps` for some time, `yes` as long as one likes. */
export interface Hindrance {
  readonly cause: string;
  readonly helpsToWait: 'never' | 'perhaps' | 'yes';
}

/** An exit code of no command: the node does not know how it ended. */
const UNKNOWN_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);
/** The command has not run: the exit code is made up. */
const NOT_RUN: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);
const KILLED = 137;
const SIGNALLED = 128;

/** The main container: the first, whatever a template adds. */
export function mainStatus(pod: Pod): ContainerStatus | undefined {
  const [main] = pod.spec.containers;
  return pod.status.containerStatuses.find(({ name }) => name === main?.name);
}

/** The exit code of a pod's command; null while it runs, and when nobody knows it. */
export function exitCodeOf(pod: Pod): number | null {
  const ended = mainStatus(pod)?.state.terminated;
  if (!ended || UNKNOWN_ENDS.has(ended.reason ?? '') || neverRan(ended)) return null;
  return ended.exitCode;
}

type Terminated = NonNullable<ContainerStatus['state']['terminated']>;

/** Whether its command was never started: then the node may show an exit code of its own making. */
function neverRan({ reason, startedAt }: Terminated): boolean {
  return NOT_RUN.has(reason ?? '') || /^(1970|0001)-01-01/.test(startedAt ?? '');
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
  if (reason === 'OOMKilled') return outOfMemory(pod, ended?.exitCode ?? KILLED);
  const disrupted = conditionOf(pod, 'DisruptionTarget');
  if (pod.status.reason === 'Evicted') {
    return `the pod was evicted: ${said(pod.status.message, 'its node lacked something')}`;
  }
  if (pod.status.reason === 'DeadlineExceeded') {
    return `the job's time limit in the cluster was over (DeadlineExceeded, ${pod.spec.activeDeadlineSeconds} s)`;
  }
  if (disrupted !== undefined) return disruption(pod, disrupted);
  if (UNKNOWN_ENDS.has(reason)) {
    return `node ${pod.spec.nodeName ?? '?'} lost the container and does not know how it ended`;
  }
  if (ended && neverRan(ended))
    return `the command could not be started: ${startError(ended?.message)}`;
  const failedInit = pod.status.initContainerStatuses.find(
    ({ state }) => state.terminated && state.terminated.exitCode !== 0,
  );
  if (failedInit !== undefined) {
    const { exitCode, message } = failedInit.state.terminated ?? {};
    return `the container "${failedInit.name}", which runs before the job, ended with ${exitCode}${message ? `: ${message}` : ''}`;
  }
  if (ended && ended.exitCode !== 0) return exitText(ended.exitCode);
  const failedOther = pod.status.containerStatuses.find(
    ({ state }) => state.terminated && state.terminated.exitCode !== 0,
  );
  if (failedOther !== undefined) {
    return `the container "${failedOther.name}" beside the job ended with ${failedOther.state.terminated?.exitCode}`;
  }
  if (pod.status.phase === 'Failed') {
    return `the pod failed: ${said(pod.status.message, pod.status.reason ?? 'no reason was given')}`;
  }
  if (pod.metadata.deletionTimestamp && pod.status.phase !== 'Succeeded') {
    return 'the pod was removed by somebody else';
  }
  return undefined;
}

/** What keeps a pod from running; undefined when nothing is known to. */
export function hindranceOf(pod: Pod, warnings: KnownWork['warnings']): Hindrance | undefined {
  const scheduled = pod.status.conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    const why = said(scheduled.message, scheduled.reason ?? 'no reason was given');
    const word = scheduled.reason === 'SchedulingGated' ? 'it is held back' : 'no node can take it';
    return { cause: `${word} (${scheduled.reason}): ${why}`, helpsToWait: 'yes' };
  }
  const statuses = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses];
  for (const status of statuses) {
    const found = waitingCause(pod, status);
    if (found !== undefined) return found;
  }
  const warning = warnings.get(pod.metadata.uid);
  if (warning === undefined || pod.status.phase !== 'Pending') return undefined;
  const cause = `${warning.reason}: ${warning.message}`;
  if (warning.reason !== 'FailedMount' && warning.reason !== 'FailedAttachVolume') {
    return { cause, helpsToWait: 'yes' };
  }
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
        cause: `the image ${image} is not on the node, and is not to be fetched (ErrImageNeverPull)`,
        helpsToWait: 'never',
      };
    case 'InvalidImageName':
      return { cause: `${image} is no name of an image (InvalidImageName)`, helpsToWait: 'never' };
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError':
      return {
        cause: `the image ${image} cannot be fetched (${reason}): ${said(message, '')}`,
        helpsToWait: 'perhaps',
      };
    case 'CreateContainerConfigError': {
      const isRoot = /runAsNonRoot/.test(message ?? '');
      const hint = isRoot ? ' (name a user: meta.container.target.user or --runAsUser)' : '';
      return {
        cause: `the container cannot be set up (${reason}): ${said(message, '')}${hint}`,
        helpsToWait: isRoot ? 'never' : 'perhaps',
      };
    }
    case 'CreateContainerError':
    case 'RunContainerError':
      return {
        cause: `the container cannot be made (${reason}): ${said(message, '')}`,
        helpsToWait: 'perhaps',
      };
    default:
      return undefined;
  }
}

/** What keeps a Job from having pods. */
export function hindranceOfJob(job: Job, warnings: KnownWork['warnings']): Hindrance | undefined {
  if (job.spec.suspend) return { cause: 'the Job is suspended', helpsToWait: 'yes' };
  const warning = warnings.get(job.metadata.uid);
  if (warning?.reason !== 'FailedCreate') return undefined;
  const cause = `the cluster takes no pod of it: ${warning.message.replace(/^Error creating: /, '')}`;
  // A quota is freed by other jobs that end; what is forbidden stays so.
  const isForbidden = /is forbidden|violates PodSecurity|denied the request|is invalid/.test(cause);
  const isQuota = /exceeded quota/.test(cause);
  return { cause, helpsToWait: isForbidden && !isQuota ? 'never' : 'yes' };
}

/** Why a Job has failed by the word of the cluster, for one whose pods do not say. */
export function causeOfJob(failed: Condition | undefined): string | undefined {
  if (failed === undefined) return undefined;
  if (failed.reason === 'DeadlineExceeded') {
    return "the job's time limit in the cluster was over (DeadlineExceeded)";
  }
  return `the Job failed (${failed.reason}): ${said(failed.message, 'no message was given')}`;
}

export function exitText(exitCode: number): string {
  const signal = exitCode > SIGNALLED ? `, as after signal ${exitCode - SIGNALLED}` : '';
  return `non-zero exit (${exitCode})${signal}`;
}

function outOfMemory(pod: Pod, exitCode: number): string {
  const limit = pod.spec.containers[0]?.resources?.limits?.memory;
  const its = limit === undefined ? '' : ` (its limit is ${limit})`;
  return exitCode === KILLED
    ? `the container ran out of memory${its}`
    : `a process of the container ran out of memory${its} and was killed; the command then ended with ${exitCode}`;
}

function disruption(pod: Pod, { reason, message }: Condition): string {
  const node = pod.spec.nodeName ?? '?';
  switch (reason ?? '') {
    case 'PreemptionByScheduler':
      return `the pod had to give way to one of a higher priority: ${said(message, '')}`;
    case 'DeletionByTaintManager':
    case 'DeletionByPodGC':
      return `its node ${node} was lost: ${said(message, reason ?? '')}`;
    case 'EvictionByEvictionAPI':
      return `the pod was evicted from node ${node}: ${said(message, '')}`;
    default:
      return `the pod was ended by its node ${node} (${reason}): ${said(message, '')}`;
  }
}

/** containerd's and runc's words without their wrapping. */
function startError(message: string | null | undefined): string {
  const text = said(message, 'no reason was given');
  return /exec: .*$/.exec(text)?.[0] ?? text;
}

function said(text: string | null | undefined, otherwise: string): string {
  return (text || otherwise).replace(/\s+/g, ' ').trim().slice(0, 600);
}
