import { PmanError } from '../lib/errors.ts';
import type { FollowOptions, Worker } from '../lib/jobs/container/engine.ts';
import { ApiError } from './apiError.ts';
import { hasStarted } from './causes.ts';
import type { KubeClient } from './client.ts';
import { type Pod, podSchema } from './objects.ts';
import { cappedLogs, followLogs, type LogSource } from './podLogs.ts';
import { swiftLogs } from './swift.ts';
import { isRunning } from './workState.ts';

/** How long the output of a pod may be refused by its node before it counts as lost, in milliseconds. */
const OUTPUT_LOST_MS = 120_000;

/** What the pods of jobs have written. */
export class PodOutputs {
  readonly #client: KubeClient;
  readonly #isSwift: boolean;
  /** By pod: since when its node does not give its output. */
  readonly #unread = new Map<string, number>();

  /** @param isSwift whether pods have containers that bring and take the data, whose output counts, too */
  constructor(client: KubeClient, isSwift: boolean) {
    this.#client = client;
    this.#isSwift = isSwift;
  }

  /** As the contract says. */
  async logs(workers: readonly Worker[], limitBytes: number): Promise<string> {
    const texts = await Promise.all(
      workers.map((worker) => this.#logsOf(sourceOf(worker), limitBytes)),
    );
    return texts.join('');
  }

  /** As the contract says. */
  async follow(worker: Worker, options: FollowOptions): Promise<void> {
    const source = sourceOf(worker);
    if (source === undefined) return;
    let { from, onOpen } = options;
    for (let wasOver = isPhaseOver(worker); ; wasOver = true) {
      const size = await followLogs(this.#client, source, { ...options, from, onOpen });
      onOpen = () => undefined; // once
      if (size === undefined || options.signal.aborted || wasOver) return;
      from = Math.max(from, size);
      // An API server that ends in order ends its streams as if they were over: so does a pod that has ended meanwhile, and
      // then there may be more.
      const pod = await this.#pod(source);
      if (pod === undefined) return;
      if (isRunning(pod)) {
        throw new PmanError('unavailable', `the output of pod "${source.pod}" was cut off`);
      }
    }
  }

  async #pod({ pod }: LogSource): Promise<Pod | undefined> {
    const path = this.#client.path('pods', pod);
    const found = await this.#client.askIfThere(`look for pod "${pod}"`, { path });
    return found === undefined ? undefined : podSchema.parse(found);
  }

  /** The pod is removed. */
  forget(pod: string): void {
    this.#unread.delete(pod);
  }

  /**
   * @throws PmanError unavailable for one that has started and whose node has no output of it: a kubelet that has just come up
   * does not know its pods yet
   */
  async #read(source: LogSource, limitBytes: number): Promise<string> {
    const text = await cappedLogs(this.#client, source, limitBytes);
    if (text !== undefined) return text;
    const pod = await this.#pod(source);
    if (pod === undefined || !hasStarted(pod, source.container)) return '';
    throw new PmanError('unavailable', `the node of pod "${source.pod}" has no output of it`);
  }

  async #logsOf(source: LogSource | undefined, limitBytes: number): Promise<string> {
    if (source === undefined) return '';
    const read = (container: string) => this.#read({ ...source, container }, limitBytes);
    try {
      const text = await (this.#isSwift
        ? swiftLogs(source.container, read)
        : read(source.container));
      this.#unread.delete(source.pod);
      return text;
    } catch (error) {
      // The API server answers, and the pod's node does not: it may be gone for ever.
      if (!(error instanceof ApiError) || error.status < 500) throw error;
      const since = this.#unread.get(source.pod) ?? Date.now();
      this.#unread.set(source.pod, since);
      if (Date.now() - since < OUTPUT_LOST_MS) throw error;
      return `[… the output is not at hand: ${error.message} …]\n`;
    }
  }
}

/** Whether a worker had ended when it was seen. */
const isPhaseOver = ({ shown }: Worker) => shown.Phase === 'Succeeded' || shown.Phase === 'Failed';

/** Undefined for a worker whose pod is not known, or has written nothing yet. */
function sourceOf({ shown }: Worker): LogSource | undefined {
  const { Pod: pod, Container: container, Phase: phase } = shown;
  if (phase === 'Pending') return undefined;
  if (typeof pod !== 'string' || typeof container !== 'string') return undefined;
  return { pod, container };
}
