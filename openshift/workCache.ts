import { NAME_LABEL } from './objectNames.ts';
import type { Job, KubeEvent, KubeObject, Pod } from './objects.ts';

/** How many warnings are remembered; the oldest go. */
const WARNINGS = 2000;

/** A Job with its pods, and what was warned of last. */
export interface KnownWork {
  readonly job: Job;
  readonly pods: readonly Pod[];
  /** By the uid of a pod or of the Job. */
  readonly warnings: ReadonlyMap<string, KubeEvent>;
}

/** What the cluster has answered when it was asked for all objects of some kind, and how far that goes. */
export interface Listed<T> {
  readonly objects: readonly T[];
  /** What came later is not in it. */
  readonly version: string;
}

/** What is known of the Jobs in a namespace that pman has made, and of their pods. */
export class WorkCache {
  readonly #jobs = new Map<string, Job>();
  /** By the uid of their Job, then by their own. Also those that are gone, until their Job is: they show how they ended. */
  readonly #pods = new Map<string, Map<string, Pod>>();
  readonly #warnings = new Map<string, KubeEvent>();

  /** The names of all Jobs, as the cluster has them. */
  get jobNames(): Iterable<string> {
    return this.#jobs.keys();
  }

  /** A Job by its name in the cluster. */
  work(objectName: string): KnownWork | undefined {
    const job = this.#jobs.get(objectName);
    if (job === undefined) return undefined;
    const pods = [...(this.#pods.get(job.metadata.uid)?.values() ?? [])];
    return { job, pods: pods.sort(byAge), warnings: this.#warnings };
  }

  /** The Job that a pod belongs to, when it is known. */
  jobOf(pod: Pod): Job | undefined {
    const job = this.#jobs.get(pod.metadata.labels[NAME_LABEL] ?? '');
    return job?.metadata.uid === jobUidOf(pod) ? job : undefined;
  }

  /** What pods and Jobs a warning may be about. */
  about(uid: string): Job | Pod | undefined {
    for (const job of this.#jobs.values()) if (job.metadata.uid === uid) return job;
    for (const pods of this.#pods.values()) {
      const pod = pods.get(uid);
      if (pod !== undefined) return pod;
    }
    return undefined;
  }

  putJob(job: Job): void {
    const { name, uid } = job.metadata;
    const known = this.#jobs.get(name);
    if (known !== undefined && known.metadata.uid !== uid) this.removeJob(known);
    if (known === undefined || isNewer(job, known)) this.#jobs.set(name, job);
  }

  removeJob({ metadata: { name, uid } }: Job): void {
    if (this.#jobs.get(name)?.metadata.uid === uid) this.#jobs.delete(name);
    this.#pods.delete(uid);
  }

  putPod(pod: Pod): void {
    const uid = jobUidOf(pod);
    if (uid === undefined) return;
    const pods = this.#pods.get(uid) ?? new Map<string, Pod>();
    const known = pods.get(pod.metadata.uid);
    if (known === undefined || isNewer(pod, known)) pods.set(pod.metadata.uid, pod);
    this.#pods.set(uid, pods);
  }

  /** These were all pods of a Job. Those that name no owner are its, too: the cluster has said so. */
  putPodsOf({ metadata: { uid } }: Job, { objects: pods, version }: Listed<Pod>): void {
    const known = this.#pods.get(uid) ?? new Map<string, Pod>();
    this.#pods.set(uid, known);
    const there = new Set(pods.map((pod) => pod.metadata.uid || pod.metadata.name));
    for (const [key, pod] of known) {
      if (!there.has(key) && !isLaterThan(pod, version)) known.set(key, gone(pod));
    }
    for (const pod of pods) {
      const owner = jobUidOf(pod);
      if (owner !== undefined && owner !== uid) continue;
      const key = pod.metadata.uid || pod.metadata.name;
      const before = known.get(key);
      if (before === undefined || isNewer(pod, before)) known.set(key, pod);
    }
  }

  /** A pod is gone; how it stood last is kept as long as its Job is there. */
  removePod(pod: Pod): void {
    const uid = jobUidOf(pod);
    if (uid === undefined) return;
    if (this.jobOf(pod) === undefined) this.#pods.delete(uid);
    else this.putPod(gone(pod));
  }

  putWarning(event: KubeEvent): void {
    const { uid } = event.involvedObject;
    this.#warnings.delete(uid);
    this.#warnings.set(uid, event);
    for (const [oldest] of this.#warnings) {
      if (this.#warnings.size <= WARNINGS) break;
      this.#warnings.delete(oldest);
    }
  }

  /** These were all Jobs there were. Gives those that were known and are gone. */
  replaceJobs({ objects: jobs, version }: Listed<Job>): readonly Job[] {
    const uids = new Set(jobs.map(({ metadata }) => metadata.uid));
    const gone = [...this.#jobs.values()].filter(
      (job) => !uids.has(job.metadata.uid) && !isLaterThan(job, version),
    );
    for (const job of gone) this.removeJob(job);
    for (const job of jobs) this.putJob(job);
    return gone;
  }

  /** These were all pods there were. Gives those that were known and are gone. */
  replacePods({ objects: pods, version }: Listed<Pod>): readonly Pod[] {
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    const gone: Pod[] = [];
    for (const known of this.#pods.values()) {
      for (const pod of known.values()) {
        const isThere = uids.has(pod.metadata.uid) || isLaterThan(pod, version);
        if (!isThere && !isGone(pod)) gone.push(pod);
      }
    }
    for (const pod of gone) this.removePod(pod);
    for (const pod of pods) this.putPod(pod);
    return gone;
  }
}

/** The time of removal of a pod that is not there any more. */
const GONE_AT = 'gone';

const gone = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, deletionTimestamp: GONE_AT },
});

/** Whether a pod is not there any more, and only remembered. */
export function isGone({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === GONE_AT;
}

export function jobUidOf({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences.find(({ kind }) => kind === 'Job')?.uid;
}

/** The oldest first; of the same second by name, so that the order is always the same. */
export function byAge(one: KubeObject, other: KubeObject): number {
  const [a, b] = [one.metadata, other.metadata];
  const times = (a.creationTimestamp ?? '').localeCompare(b.creationTimestamp ?? '');
  return times || a.name.localeCompare(b.name);
}

/** Whether an object has come, or changed, after a list was made, which may be answered after a watch has told of it. */
function isLaterThan({ metadata: { resourceVersion } }: KubeObject, version: string): boolean {
  return version !== '' && Number(resourceVersion) > Number(version);
}

/** Versions of one kind grow; an answer to a call may be older than what a watch has told. */
function isNewer(one: KubeObject, known: KubeObject): boolean {
  const [a, b] = [Number(one.metadata.resourceVersion), Number(known.metadata.resourceVersion)];
  return Number.isNaN(a) || Number.isNaN(b) || a >= b;
}
