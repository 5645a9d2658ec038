import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PmanError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import type { KubeClient } from './client.ts';
import { ENDED_NOTE } from './objectNames.ts';
import { type Pod, podSchema } from './objects.ts';
import { signalContainer } from './signalPod.ts';
import { type Hopeless, isOver } from './workState.ts';

/** How long pods that are removed may take to end before the Job counts as removed, in milliseconds. */
const REMOVAL_MS = 15_000;

/** Ends pods, and removes what pman has made of a cluster. */
export class PodEnder {
  readonly #client: KubeClient;
  readonly #log: Logger;
  /** By the uid of what is being ended since it will never run. */
  readonly #givingUp = new Set<string>();

  constructor(client: KubeClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /**
   * SIGKILL, and what the container does not get from inside, is the node's to send: its time limit is set to what is over
   * already. So the pod stays, with its exit code and its output; a pod that is deleted loses both.
   */
  async signal(pod: Pod, signal: NodeJS.Signals): Promise<boolean> {
    const { name } = pod.metadata;
    const container = pod.spec.containers[0]?.name ?? '';
    if (signal !== 'SIGKILL') {
      if (await signalContainer(this.#client, { pod: name, container, signal })) return true;
    }
    await this.#endPod(pod);
    return true;
  }

  /** The node ends the pod: SIGTERM, and SIGKILL after the pod's own grace. */
  async #endPod({ metadata: { name } }: Pod): Promise<void> {
    await this.#client.askIfThere(`end pod "${name}"`, {
      ...{ method: 'PATCH', path: this.#client.path('pods', name) },
      body: { spec: { activeDeadlineSeconds: 1 } },
    });
  }

  /**
   * Ends what will never run, once at a time; how it stands is told by the changes that follow. The reason is kept with the Job:
   * the pod is removed, since a node that waits for a volume heeds no time limit. It has nothing that could be lost.
   */
  async giveUp({ job, pod, cause }: Hopeless): Promise<void> {
    const { uid } = (pod ?? job).metadata;
    if (this.#givingUp.has(uid)) return;
    this.#givingUp.add(uid);
    const { name } = job.metadata;
    const suspended = pod === undefined ? { spec: { suspend: true } } : {};
    try {
      await this.#client.askIfThere(`give up job "${name}"`, {
        ...{ method: 'PATCH', path: this.#client.path('jobs', name) },
        body: { metadata: { annotations: { [ENDED_NOTE]: cause } }, ...suspended },
      });
      if (pod !== undefined) await this.#deletePod(pod);
    } catch (error) {
      this.#log.debug('what will never run cannot be ended yet', {
        name,
        reason: messageOf(error),
      });
    } finally {
      this.#givingUp.delete(uid);
    }
  }

  #deletePod({ metadata: { name, uid } }: Pod): Promise<void> {
    const body = { gracePeriodSeconds: 1, preconditions: { uid } };
    return this.delete(`pod "${name}"`, this.#client.path('pods', name), body);
  }

  /** Removes an object by its uid; one that is gone is no error. */
  async delete(what: string, path: string, body: JsonObject): Promise<void> {
    try {
      await this.#client.askIfThere(`remove ${what}`, { method: 'DELETE', path, body });
    } catch (error) {
      // Another one has its name: it is gone.
      if (!(error instanceof PmanError) || error.code !== 'conflict') throw error;
    }
  }

  /** Deletes a pod and waits until nothing of it runs. */
  async removePod(pod: Pod): Promise<void> {
    await this.#deletePod(pod);
    const { name, uid } = pod.metadata;
    const path = this.#client.path('pods', name);
    for (const begin = Date.now(); Date.now() - begin < REMOVAL_MS; await sleep(500)) {
      const answer = await this.#client.askIfThere(`look for pod "${name}"`, { path });
      if (answer === undefined) return;
      const now = podSchema.parse(answer);
      if (now.metadata.uid !== uid || isOver(now)) return;
    }
    this.#log.warn('a pod that was removed has not ended yet', { pod: name });
  }
}
