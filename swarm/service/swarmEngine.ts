import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { sharedCall } from '../../lib/concurrency/sharedCall.ts';
import { PmanError } from '../../lib/errors.ts';
import type {
  ContainerManager,
  ContainerRequest,
  ContainerState,
  ManagerImage,
  ServiceFacts,
} from '../../lib/jobs/container/engine.ts';
import type { Logger } from '../../lib/log.ts';
import type { EngineClient } from '../client/engineClient.ts';
import { splitCommandLine } from '../commandLine.ts';
import { EngineBase } from '../engineBase.ts';
import { ManagerContainer } from '../managed/managerContainer.ts';
import { stateOfTasks } from './jobState.ts';
import { SwarmManager } from './manager.ts';
import type { ServiceRequest } from './serviceSpec.ts';
import { isFinal, isGivenUp, parseTasks, type Task } from './task.ts';

export interface SwarmJobEngineOptions {
  readonly dockerSocket: string;
  readonly instanceLabel: string;
  readonly log: Logger;
}

const SERVICE_NAME = 'com.docker.swarm.service.name';
/** What a swarm takes ("a DNS name component"). */
const SERVICE_NAME_FORM = /^(?=.{1,63}$)[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?$/;
/** When it is tried again to remove manager containers that were left, in milliseconds. */
const SETTLE_MS = 5000;
/** How many IDs a question about tasks names at most: it stands in the URL. */
const IDS_AT_ONCE = 100;

/** Jobs as services of a swarm. */
export class SwarmJobEngine extends EngineBase {
  readonly #swarm: SwarmManager;
  readonly #options: SwarmJobEngineOptions;
  /** Manager containers that could not be removed. */
  readonly #left = new Set<string>();
  #largestNode: { readonly cpus: number; readonly at: number } | undefined;

  constructor(client: EngineClient, options: SwarmJobEngineOptions) {
    super(client);
    this.#options = options;
    this.#swarm = new SwarmManager(client, options.log);
  }

  override manager(manager?: ManagerImage): ContainerManager {
    if (manager === undefined) {
      return {
        schedule: (request) => this.#schedule(request),
        state: (service) => this.#state(service),
        remove: (service) => this.#remove(service),
      };
    }
    const container = new ManagerContainer({
      docker: this.docker,
      manager,
      dockerSocket: this.#options.dockerSocket,
      label: this.#options.instanceLabel,
      ask: (doing, call) => this.client.ask(doing, call),
      facts: (service) => this.facts(service),
      onLeft: (id) => this.#leave(id),
      stateOf: (tasks) => this.#stateOf(tasks),
    });
    return {
      schedule: async (request, cancelled) =>
        container.schedule(await this.#possible(request), cancelled),
      state: (service) =>
        this.#orByUs(
          () => container.state(service),
          () => this.#state(service),
        ),
      remove: (service) =>
        this.#orByUs(
          () => container.remove(service),
          () => this.#remove(service),
        ),
    };
  }

  override nameProblem(service: string): string | undefined {
    return SERVICE_NAME_FORM.test(service)
      ? undefined
      : 'on a swarm: 1 to 63 letters, digits, "_" or "-", the first and the last a letter or a digit';
  }

  override readonly names = sharedCall(async () => {
    const listed = await this.client.ask('list the services', () => this.docker.listServices());
    return new Set(
      z
        .array(serviceSchema)
        .parse(listed)
        .map(({ Spec }) => Spec.Name),
    );
  });

  override async facts(service: string): Promise<ServiceFacts | undefined> {
    const found = await this.client.askIfThere(`look for service "${service}"`, () =>
      this.docker.getService(service).inspect(),
    );
    if (found === undefined) return undefined;
    const { ID, Spec } = serviceSchema.parse(found);
    if (Spec.Name !== service) return undefined; // the beginning of another one's ID
    const isLive = async () => {
      const tasks = await this.#tasksOf([ID]);
      return tasks.length === 0 || !tasks.every(isFinal);
    };
    return { labels: Spec.Labels ?? {}, isLive, isWhole: true };
  }

  override async states(
    services: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, ContainerState>> {
    const doing = 'read the states of services';
    const listed = z
      .array(serviceSchema)
      .parse(await this.client.ask(doing, () => this.docker.listServices()))
      .filter(({ Spec }) => services.has(Spec.Name));
    const tasks = await this.#tasksOf(listed.map(({ ID }) => ID));
    const states = new Map<string, ContainerState>();
    for (const { ID, Spec } of listed) {
      const state = await this.#stateOf(tasks.filter(({ ServiceID }) => ServiceID === ID));
      // A service that was just made has no task for a moment: it waits.
      states.set(Spec.Name, state ?? NO_TASK_YET);
    }
    return states;
  }

  override changes(
    onChange: (service: string) => void,
    { signal, onOpen }: { readonly signal: AbortSignal; readonly onOpen: () => void },
  ): Promise<void> {
    return this.events({
      filters: {
        type: ['container', 'service'],
        event: ['start', 'die', 'oom', 'destroy', 'remove'],
      },
      signal,
      onOpen,
      onEvent: (attributes) => {
        const service = attributes[SERVICE_NAME] ?? attributes.name;
        if (service !== undefined) onChange(service);
      },
    });
  }

  override async settle(): Promise<void> {
    for (const id of this.#left) {
      await this.client.askIfThere('remove a manager container', () =>
        this.docker.getContainer(id).remove({ force: true }),
      );
      this.#left.delete(id);
    }
  }

  /** Whoever makes a service next removes it first; else it is done in a while. */
  #leave(id: string): void {
    this.#left.add(id);
    const removeLater = async () => {
      await sleep(SETTLE_MS, undefined, { ref: false });
      if (this.#left.has(id)) await this.settle();
    };
    removeLater().catch(() => this.#leave(id));
  }

  override async signal(service: string, signal: NodeJS.Signals): Promise<boolean> {
    const state = await this.#state(service);
    if (state === undefined) return true;
    const tasks = parseTasks(state.tasks).filter((task) => !isFinal(task));
    const reached = await Promise.all(
      tasks.map((task) => this.signalContainer(task.Status.ContainerStatus?.ContainerID, signal)),
    );
    return reached.every(Boolean);
  }

  /** The manager image may have been removed since the job was scheduled, or its program may not do what it is asked. */
  async #orByUs<T>(byImage: () => Promise<T>, byUs: () => Promise<T>): Promise<T> {
    try {
      return await byImage();
    } catch (error) {
      if (!(error instanceof PmanError) || error.code === 'unavailable') throw error;
      this.#options.log.debug('the built-in manager does it', { reason: error.message });
      return byUs();
    }
  }

  async #schedule(request: ContainerRequest): Promise<string> {
    const { service, image, cmd, shareDir, labels, options } = await this.#possible(request);
    const { labels: more, ...rest } = options;
    const asked: ServiceRequest = {
      ...rest,
      name: service,
      image,
      command: splitCommandLine(cmd),
      restartPolicy: 'none',
      labels: { ...more, ...labels },
      ...(shareDir === undefined ? {} : { shareDir }),
    };
    await this.#swarm.schedule(asked);
    return '';
  }

  async #possible(request: ContainerRequest): Promise<ContainerRequest> {
    const { options } = request;
    if (options.limits?.cpus === undefined) return request;
    const limits = { ...options.limits, cpus: await this.#atMost(options.limits.cpus) };
    return { ...request, options: { ...options, limits } };
  }

  /** A node refuses a container that may use more processors than it has: such a limit would limit nothing. */
  async #atMost(cpus: number): Promise<number> {
    if (this.#largestNode === undefined || Date.now() - this.#largestNode.at > 60_000) {
      const nano = (await this.#nodes()).map(
        ({ Description }) => Description?.Resources?.NanoCPUs ?? 0,
      );
      this.#largestNode = { cpus: Math.max(0, ...nano) / 1e9, at: Date.now() };
    }
    const { cpus: most } = this.#largestNode;
    return most > 0 ? Math.min(cpus, most) : cpus;
  }

  /** None when this engine does not show them. */
  async #nodes(): Promise<readonly z.infer<typeof nodeSchema>[]> {
    try {
      const nodes = await this.client.ask('list the nodes', () => this.docker.listNodes());
      return z.array(nodeSchema).parse(nodes);
    } catch (error) {
      if (error instanceof PmanError && error.code !== 'unavailable') return [];
      throw error;
    }
  }

  async #state(service: string): Promise<ContainerState | undefined> {
    return (await this.states(new Set([service]))).get(service);
  }

  async #remove(service: string): Promise<void> {
    try {
      await this.#swarm.remove(service);
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'not_found') throw error;
    }
  }

  /** Newest first. */
  async #tasksOf(ids: readonly string[]): Promise<readonly Task[]> {
    const tasks: Task[] = [];
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
      const service = ids.slice(at, at + IDS_AT_ONCE);
      const list = await this.client.ask('read the states of services', () =>
        this.docker.listTasks({ filters: JSON.stringify({ service }) }),
      );
      tasks.push(...parseTasks(list));
    }
    return tasks.sort((a, b) => ((a.CreatedAt ?? '') < (b.CreatedAt ?? '') ? 1 : -1));
  }

  async #stateOf(tasks: readonly Task[]): Promise<ContainerState | undefined> {
    const state = stateOfTasks(tasks);
    const [task] = state === undefined ? [] : parseTasks([state.task]);
    if (state === undefined || task === undefined) return undefined;
    if (state.status !== 'finishedWithError' && !isGivenUp(task)) return state;
    const cause = await this.#swarm.cause(task);
    return cause === undefined ? state : { ...state, cause };
  }
}

const NO_TASK_YET: ContainerState = {
  status: 'notstarted',
  isFinal: false,
  task: {},
  tasks: [],
};

const serviceSchema = z.looseObject({
  ID: z.string(),
  Spec: z.looseObject({
    Name: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
});

const nodeSchema = z.looseObject({
  Description: z
    .looseObject({ Resources: z.looseObject({ NanoCPUs: z.number().optional() }).optional() })
    .optional(),
});
