import type { KubernetesSettings } from '../lib/config/kubernetes.ts';
import { PmanError } from '../lib/errors.ts';
import {
  type ChangesOptions,
  type Checked,
  type CheckOptions,
  type EndOrder,
  type Engine,
  type FollowOptions,
  type Handle,
  isOfJob,
  type Look,
  type NameOwner,
  type Started,
  type StartOptions,
  type Work,
  type Worker,
  type WorkRequest,
} from '../lib/jobs/container/engine.ts';
import type { Logger } from '../lib/log.ts';
import { lacksRight } from './apiError.ts';
import type { KubeClient } from './client.ts';
import type { ClusterFacts } from './clusterFacts.ts';
import { Informer } from './informer.ts';
import { jobBody } from './jobSpec.ts';
import { objectName, ownerMarks, ownerOf, refuseName } from './objectNames.ts';
import { jobSchema } from './objects.ts';
import { PodEnder } from './podEnder.ts';
import { refuseInput } from './podInput.ts';
import { PodOutputs } from './podOutputs.ts';
import { claimName } from './podVolumes.ts';
import { readFacts, readTemplate } from './readFacts.ts';
import { refuseLimits } from './resources.ts';
import { storageClaim } from './swift.ts';
import type { KnownWork } from './workCache.ts';
import { isOver, isRunning, workState } from './workState.ts';

export interface KubernetesEngineOptions {
  readonly client: KubeClient;
  readonly settings: KubernetesSettings;
  readonly log: Logger;
}

/**
 * Work as Jobs of Kubernetes, in one namespace. A Job stays until pman has its end on the disk and removes it: it has no time to
 * live, and no finalizer (docs/decisions/0015-kubernetes.md).
 */
export class KubernetesEngine implements Engine {
  readonly #client: KubeClient;
  readonly #settings: KubernetesSettings;
  readonly #informer: Informer;
  #facts: Promise<ClusterFacts> | undefined;
  /** By job: since when the cluster does not let it be made. */
  readonly #forbidden = new Map<string, number>();
  readonly #outputs: PodOutputs;
  readonly #ender: PodEnder;

  constructor({ client, settings, log }: KubernetesEngineOptions) {
    this.#client = client;
    this.#settings = settings;
    this.#informer = new Informer(client, log);
    this.#ender = new PodEnder(client, log);
    this.#outputs = new PodOutputs(client, settings.storage.kind === 'swift');
  }

  async check(request: WorkRequest, _: CheckOptions): Promise<Checked> {
    refuseName(request.name);
    refuseLimits(request.options);
    refuseInput(request.input);
    await this.#bodyOf(request);
    const name = objectName(request.name);
    const known = this.#informer.knows(name);
    if (known !== undefined) return { nameIsTaken: known };
    return { nameIsTaken: await this.#informer.isTaken(name) };
  }

  async start(
    request: WorkRequest,
    { mayExist, cancelled, input }: StartOptions,
  ): Promise<Started | undefined> {
    if (mayExist || cancelled.aborted) {
      const ours = await this.#ours(request);
      if (ours !== undefined && !cancelled.aborted) return ours;
      if (ours !== undefined) await this.remove({ name: request.name, handle: ours.handle });
    }
    if (cancelled.aborted) return undefined;
    const body = await this.#bodyOf(request, input);
    const { name } = request;
    try {
      if (this.#settings.storage.kind === 'swift') await this.#claim(request);
      const made = await this.#client.ask(`create job "${objectName(name)}"`, {
        ...{ method: 'POST', path: this.#client.path('jobs'), body },
      });
      const job = jobSchema.parse(made);
      this.#informer.put(job);
      this.#forbidden.delete(request.owner.job);
      return startedOf(job.metadata.uid);
    } catch (error) {
      if (lacksRight(error)) throw this.#lasting(request.owner.job, error);
      if (!(error instanceof PmanError) || error.code !== 'conflict') throw error;
      // An earlier call may have come through after all.
      const ours = await this.#ours(request);
      if (ours === undefined) throw error;
      return ours;
    }
  }

  /** An API server that starts knows no rights yet: only a refusal that lasts is one. */
  #lasting(job: string, error: PmanError): PmanError {
    const since = this.#forbidden.get(job) ?? Date.now();
    this.#forbidden.set(job, since);
    if (Date.now() - since < this.#settings.startLimitMs) return error;
    this.#forbidden.delete(job);
    return new PmanError('bad_request', error.message, { cause: error });
  }

  async look(works: readonly Work[]): Promise<ReadonlyMap<string, Look>> {
    const found = await this.#informer.works(works.map(({ name }) => objectName(name)));
    const looks = new Map<string, Look>();
    for (const { name, handle } of works) {
      const work = found.get(objectName(name));
      if (work === undefined || !isMeant(work, handle)) continue;
      const { look, hopeless } = workState(work, this.#settings.startLimitMs);
      for (const one of hopeless) void this.#ender.giveUp(one);
      looks.set(name, look);
    }
    return looks;
  }

  async end(work: Work, { signal }: EndOrder): Promise<boolean> {
    const found = await this.#workOf(work);
    const live = (found?.pods ?? []).filter((pod) => !isOver(pod));
    const isOverAll = found !== undefined && workState(found, 0).look.kind === 'ended';
    if (live.length === 0) return isOverAll;
    const sent = await Promise.all(
      live.filter(isRunning).map((pod) => this.#ender.signal(pod, signal)),
    );
    // One that waits, and one that is still to be made, is not reached.
    return sent.length === live.length && found?.pods.length === (found?.job.spec.completions ?? 1);
  }

  async remove(work: Work, job?: string): Promise<void> {
    if (job !== undefined && !isOfJob(await this.owner(work.name), work, job)) return;
    const found = this.#overOf(work) ?? (await this.#workOf(work));
    // Without a handle only the mark of a pman tells that it is not somebody else's.
    if (found === undefined || (work.handle === undefined && !ownerOf(found.job).job)) return;
    const { name, uid } = found.job.metadata;
    await this.#ender.delete(`job "${name}"`, this.#client.path('jobs', name), {
      ...{ propagationPolicy: 'Background', preconditions: { uid } },
    });
    this.#informer.remove(found.job);
    if (this.#settings.storage.kind === 'swift') {
      const claim = claimName(work.name);
      await this.#client.askIfThere(`remove claim "${claim}"`, {
        ...{ method: 'DELETE', path: this.#client.path('persistentvolumeclaims', claim) },
      });
    }
    const live = found.pods.filter((pod) => !isOver(pod));
    await Promise.all(live.map((pod) => this.#ender.removePod(pod)));
    for (const pod of found.pods) this.#outputs.forget(pod.metadata.name);
  }

  logs(workers: readonly Worker[], limitBytes: number): Promise<string> {
    return this.#outputs.logs(workers, limitBytes);
  }

  follow(worker: Worker, options: FollowOptions): Promise<void> {
    return this.#outputs.follow(worker, options);
  }

  changes(onChange: (name: string) => void, options: ChangesOptions): Promise<void> {
    return this.#informer.listen(onChange, options);
  }

  async owner(name: string): Promise<NameOwner | undefined> {
    const found =
      this.#informer.lastKnown(objectName(name)) ??
      (await this.#workOf({ name, handle: undefined }));
    if (found === undefined) return undefined;
    const owner = ownerOf(found.job);
    // A Job of somebody else keeps its name, also when it has ended: it is not ours to remove.
    if (owner.job === undefined) return { ...owner, isLive: async () => true };
    const isLive = async () => {
      const [look] = (await this.look([{ name, handle: undefined }])).values();
      return look !== undefined && look.kind !== 'ended';
    };
    return { ...owner, isLive };
  }

  async #bodyOf(request: WorkRequest, input?: Buffer) {
    this.#facts ??= this.#readFacts();
    const { namespace } = this.#client;
    return jobBody(request, this.#settings, { ...(await this.#facts), namespace }, input);
  }

  async #readFacts(): Promise<ClusterFacts> {
    try {
      return await readFacts(this.#client, readTemplate(this.#settings.podTemplate));
    } catch (error) {
      this.#facts = undefined;
      throw error;
    }
  }

  /** What an earlier call for the same job has made. */
  async #ours({ name, owner }: WorkRequest): Promise<Started | undefined> {
    const answer = await this.#client.askIfThere(`look for job "${objectName(name)}"`, {
      path: this.#client.path('jobs', objectName(name)),
    });
    if (answer === undefined) return undefined;
    const job = jobSchema.parse(answer);
    this.#informer.put(job);
    return ownerOf(job).job === owner.job ? startedOf(job.metadata.uid) : undefined;
  }

  async #workOf({ name, handle }: Work): Promise<KnownWork | undefined> {
    const work = (await this.#informer.works([objectName(name)])).get(objectName(name));
    return work !== undefined && isMeant(work, handle) ? work : undefined;
  }

  /** What is known to be over, without asking: it may be removed, unless another Job has its name by now. */
  #overOf(work: Work): KnownWork | undefined {
    const known = this.#informer.lastKnown(objectName(work.name));
    const isOurs = work.handle !== undefined && known !== undefined && isMeant(known, work.handle);
    return isOurs && known.pods.length > 0 && known.pods.every(isOver) ? known : undefined;
  }

  async #claim({ name, owner }: WorkRequest): Promise<void> {
    try {
      await this.#client.ask(`create claim "${claimName(name)}"`, {
        ...{ method: 'POST', path: this.#client.path('persistentvolumeclaims') },
        body: storageClaim(name, ownerMarks(name, owner)),
      });
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'conflict') throw error;
    }
  }
}

const startedOf = (uid: string): Started => ({ handle: { uid }, printed: '' });

/** Whether it is what the handle means: something of the same name may have been made later. */
function isMeant({ job }: KnownWork, handle: Handle | undefined): boolean {
  return typeof handle?.uid !== 'string' || handle.uid === job.metadata.uid;
}
