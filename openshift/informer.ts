import { sharedCall } from '../lib/concurrency/sharedCall.ts';
import { messageOf } from '../lib/errors.ts';
import type { ChangesOptions } from '../lib/jobs/container/engine.ts';
import type { Logger } from '../lib/log.ts';
import type { KubeClient } from './client.ts';
import { nameOf, ORIGIN } from './objectNames.ts';
import {
  eventSchema,
  type Job,
  jobSchema,
  type KubeEvent,
  type KubeObject,
  listSchema,
  type Pod,
  podSchema,
} from './objects.ts';
import { Reflector } from './reflector.ts';
import { byAge, type KnownWork, type Listed, WorkCache } from './workCache.ts';

const OURS = `${ORIGIN.key}=${ORIGIN.value}`;
/** Of how many Jobs at most each is asked for by itself; of more, all are. */
const ONE_BY_ONE = 2;

/**
 * What the cluster has of pman's work: told by the API server while somebody listens to the changes, asked for otherwise.
 */
export class Informer {
  readonly #client: KubeClient;
  readonly #log: Logger;
  readonly #cache = new WorkCache();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #jobs: Reflector<Job>;
  readonly #pods: Reflector<Pod>;
  readonly #events: Reflector<KubeEvent>;
  readonly #listAll: () => Promise<void>;
  /** The one who listens, or has just been told to end. */
  #listening: Promise<void> = Promise.resolve();

  constructor(client: KubeClient, log: Logger) {
    this.#client = client;
    this.#log = log;
    const shared = { client, log };
    const cache = this.#cache;
    this.#jobs = new Reflector({
      // Those of others, too: their names are taken.
      ...{ ...shared, kind: 'jobs', query: {}, schema: jobSchema },
      onList: (all) => this.#tell([...cache.replaceJobs(all), ...all.objects]),
      onChange: (job, isGone) => {
        if (isGone) cache.removeJob(job);
        else cache.putJob(job);
        this.#tell([job]);
      },
    });
    this.#pods = new Reflector({
      ...{ ...shared, kind: 'pods', query: { labelSelector: OURS }, schema: podSchema },
      onList: (all) => this.#tell([...cache.replacePods(all), ...all.objects]),
      onChange: (pod, isGone) => {
        if (isGone) cache.removePod(pod);
        else cache.putPod(pod);
        this.#tell([pod]);
      },
    });
    this.#events = new Reflector({
      ...{
        ...shared,
        kind: 'events',
        query: { fieldSelector: 'type=Warning' },
        schema: eventSchema,
      },
      onList: (all) => {
        for (const event of [...all.objects].sort(byAge)) cache.putWarning(event);
      },
      onChange: (event, isGone) => {
        if (isGone) return;
        cache.putWarning(event);
        const about = cache.about(event.involvedObject.uid);
        if (about !== undefined) this.#tell([about]);
      },
    });
    this.#listAll = sharedCall(async () => {
      const [jobs, pods] = await Promise.all([
        this.#list('jobs', '', jobSchema),
        this.#list('pods', OURS, podSchema),
      ]);
      this.#tell([...cache.replaceJobs(jobs), ...cache.replacePods(pods)]);
    });
  }

  /** Whether all changes are told just now. */
  get isInSync(): boolean {
    return this.#jobs.isWatching && this.#pods.isWatching;
  }

  /** Listens until the signal is given, one listener after the other. @throws PmanError unavailable when the API server is away */
  async listen(onChange: (name: string) => void, options: ChangesOptions): Promise<void> {
    const before = this.#listening;
    const listening = before.then(() => this.#listen(onChange, options));
    this.#listening = listening.catch(() => undefined); // whoever has begun it is told
    await listening;
  }

  async #listen(
    onChange: (name: string) => void,
    { signal, onOpen }: ChangesOptions,
  ): Promise<void> {
    if (signal.aborted) return;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    this.#listeners.add(onChange);
    let isOpen = false;
    const opened = () => {
      if (isOpen || !this.isInSync) return;
      isOpen = true;
      onOpen();
    };
    void this.#events
      .run(either, () => undefined)
      .catch((error: unknown) => {
        // Without them causes are shorter: a role may leave them out.
        this.#log.info('no warnings of the cluster', { reason: messageOf(error) });
      });
    try {
      await Promise.all([this.#jobs.run(either, opened), this.#pods.run(either, opened)]);
    } finally {
      over.abort();
      this.#listeners.delete(onChange);
    }
  }

  /** What is known of these, by their names in the cluster; what is not there is left out. Asks unless it is told. */
  async works(names: readonly string[]): Promise<ReadonlyMap<string, KnownWork>> {
    if (!this.isInSync) await this.#ask(names);
    const found = new Map<string, KnownWork>();
    for (const name of names) {
      let work = this.#cache.work(name);
      // It may have been made just now: what is said to be gone is not there for certain.
      if (work === undefined && this.isInSync) {
        await this.#askOne(name);
        work = this.#cache.work(name);
      }
      if (work !== undefined) found.set(name, work);
    }
    return found;
  }

  /** What was known last of a Job by its name in the cluster: whose it is does not change, nor that it has ended. */
  lastKnown(name: string): KnownWork | undefined {
    return this.#cache.work(name);
  }

  /**
   * Whether a Job has this name in the cluster, whoever has made it, as far as is known without asking; else undefined,
   * also when the API server may be away.
   */
  knows(name: string): boolean | undefined {
    return this.#jobs.isOpen ? this.#cache.work(name) !== undefined : undefined;
  }

  /** Whether a Job has this name, whoever has made it; asks. */
  async isTaken(name: string): Promise<boolean> {
    const path = this.#client.path('jobs');
    const query = { fieldSelector: `metadata.name=${name}`, limit: '1' };
    const answer = await this.#client.askIfThere(`look for job "${name}"`, { path, query });
    return answer !== undefined && listSchema.parse(answer).items.length > 0;
  }

  /** The Job was made, or was asked for. */
  put(job: Job): void {
    this.#cache.putJob(job);
  }

  /** The Job is gone. */
  remove(job: Job): void {
    this.#cache.removeJob(job);
  }

  async #ask(names: readonly string[]): Promise<void> {
    if (names.length > ONE_BY_ONE) await this.#listAll();
    else await Promise.all(names.map((name) => this.#askOne(name)));
  }

  /** Asks for a Job and its pods, as the original does: by its name, and the label that Kubernetes gives them. */
  async #askOne(name: string): Promise<void> {
    const answer = await this.#client.askIfThere(`look for job "${name}"`, {
      path: this.#client.path('jobs', name),
    });
    const known = this.#cache.work(name);
    if (answer === undefined) {
      if (known !== undefined) this.#cache.removeJob(known.job);
      return;
    }
    const job = jobSchema.parse(answer);
    this.#cache.putJob(job);
    const pods = await this.#list('pods', `job-name=${name}`, podSchema);
    this.#cache.putPodsOf(job, pods);
  }

  async #list<T>(
    kind: 'jobs' | 'pods',
    labelSelector: string,
    schema: { readonly parse: (item: unknown) => T },
  ): Promise<Listed<T>> {
    const path = this.#client.path(kind);
    const answer = await this.#client.ask(`list ${kind}`, { path, query: { labelSelector } });
    const { metadata, items } = listSchema.parse(answer);
    const objects = items.map((item) => schema.parse(item));
    return { objects, version: metadata.resourceVersion };
  }

  #tell(objects: readonly KubeObject[]): void {
    const names = new Set(objects.flatMap((object) => nameOf(object) ?? []));
    for (const name of names) for (const listener of this.#listeners) listener(name);
  }
}
