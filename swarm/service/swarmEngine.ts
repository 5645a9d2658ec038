import { z } from 'zod';
import { PmanError } from '../../lib/errors.ts';
import {
  type ChangesOptions,
  type Checked,
  type CheckOptions,
  type EndOrder,
  type Engine,
  type FollowOptions,
  isOfJob,
  type Look,
  type NameOwner,
  type Started,
  type StartOptions,
  type Work,
  type Worker,
  type WorkRequest,
} from '../../lib/jobs/container/engine.ts';
import { splitIntoWords } from '../../lib/jobs/container/words.ts';
import type { Logger } from '../../lib/log.ts';
import type { EngineClient } from '../client/engineClient.ts';
import { readEvents } from '../client/events.ts';
import { signalContainer } from '../client/signalContainer.ts';
import { ownerIn, ownerLabels } from '../labels.ts';
import { refuseImpossible } from '../refusals.ts';
import { TakenNames } from '../takenNames.ts';
import { withEchoes } from './echoes.ts';
import {
  decidingTask,
  lookOfTasks,
  missingWorkers,
  removedTasks,
  unmadeTasks,
} from './jobState.ts';
import { type Service, SwarmManager } from './manager.ts';
import { SwarmNodes } from './nodes.ts';
import { isFinal, isGivenUp, jobStatusOf, newestFirst, parseTasks, type Task } from './task.ts';
import { containerIdOf, followOutput, readOutput, tasksOf } from './workerOutput.ts';

const SERVICE_NAME = 'com.docker.swarm.service.name';
/** What a swarm takes ("a DNS name component"). */
const NAME_FORM = {
  pattern: /^(?=.{1,63}$)[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?$/,
  words:
    'on a swarm: 1 to 63 letters, digits, "_" or "-", the first and the last a letter or a digit',
};
/** How many IDs a question about tasks names at most: it stands in the URL. */
const IDS_AT_ONCE = 100;
const READ_STATES = 'read the states of services';
/** What is kept of a service: its ID, which no other one ever has. Earlier builds of 3.0.0 kept nothing. */
const handleSchema = z.looseObject({ service: z.string().optional() });
/** A service that was just made has no task for a moment: it waits. */
const NO_TASK_YET: Look = { kind: 'waiting', workers: [], shown: {} };

/** Work as services of a swarm. */
export class SwarmEngine implements Engine {
  readonly #client: EngineClient;
  readonly #swarm: SwarmManager;
  readonly #nodes: SwarmNodes;
  readonly #names = new TakenNames(
    async () => new Set((await this.#services('list the services')).map(({ Spec }) => Spec.Name)),
  );

  constructor(client: EngineClient, log: Logger) {
    this.#client = client;
    this.#swarm = new SwarmManager(client, log);
    this.#nodes = new SwarmNodes(client);
  }

  async check(request: WorkRequest, { namesKnownForMs }: CheckOptions): Promise<Checked> {
    refuseImpossible(request, NAME_FORM);
    return { nameIsTaken: await this.#names.has(request.name, namesKnownForMs) };
  }

  async start(
    request: WorkRequest,
    { mayExist, cancelled }: StartOptions,
  ): Promise<Started | undefined> {
    const earlier = mayExist || cancelled.aborted ? await this.#made(request) : undefined;
    if (earlier !== undefined || cancelled.aborted) return earlier;
    const { name, image, cmd, shareDir, owner, options } = await this.possible(request);
    if (cancelled.aborted) return undefined;
    try {
      const { id } = await this.#swarm.schedule({
        ...options,
        tty: options.tty ?? false,
        name,
        image,
        command: splitIntoWords(cmd),
        restartPolicy: 'none',
        labels: { ...options.labels, ...ownerLabels(owner) },
        ...(shareDir === undefined ? {} : { shareDir }),
      });
      return startedOf(id);
    } catch (error) {
      const isTaken = error instanceof PmanError && error.code === 'conflict';
      const ours = isTaken ? await this.#made(request) : undefined;
      if (ours === undefined) throw error;
      return ours;
    }
  }

  async look(works: readonly Work[]): Promise<ReadonlyMap<string, Look>> {
    const looks = new Map<string, Look>();
    const workers = new Map(works.map((work) => [work.name, work.workers]));
    for (const [name, tasks] of await this.#tasksByName(works)) {
      const missing = await this.#missing(name, tasks, workers.get(name));
      looks.set(name, (await this.lookOf([...missing, ...tasks])) ?? NO_TASK_YET);
    }
    return looks;
  }

  async end(work: Work, { signal }: EndOrder): Promise<boolean> {
    const tasks = (await this.#tasksByName([work])).get(work.name);
    if (tasks === undefined) return true;
    if (tasks.length === 0) return false;
    const reached = await Promise.all(
      tasks
        .filter((task) => !isFinal(task))
        .map((task) => signalContainer(this.#client, containerIdOf(task), signal)),
    );
    return reached.every(Boolean);
  }

  async remove(work: Work, job?: string): Promise<void> {
    const { name } = work;
    const id = idOf(work);
    if (id === undefined && job !== undefined && !isOfJob(await this.owner(name), work, job))
      return;
    try {
      await (id === undefined ? this.#swarm.remove(name) : this.#swarm.removeOne({ name, id }));
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'not_found') throw error;
    }
  }

  logs(workers: readonly Worker[], limitBytes: number): Promise<string> {
    return readOutput(this.#client, tasksOf(workers), limitBytes);
  }

  follow(worker: Worker, options: FollowOptions): Promise<void> {
    return followOutput(this.#client, tasksOf([worker])[0], options);
  }

  async changes(
    onChange: (name: string) => void,
    { signal, onOpen }: ChangesOptions,
  ): Promise<void> {
    const over = new AbortController();
    const tell = withEchoes(onChange, over.signal);
    try {
      await readEvents(this.#client, {
        filters: {
          type: ['container', 'service'],
          event: ['start', 'die', 'oom', 'destroy', 'remove'],
        },
        signal,
        onOpen,
        onEvent: (attributes) => {
          const name = attributes[SERVICE_NAME] ?? attributes.name;
          if (name !== undefined) tell(name);
        },
      });
    } finally {
      over.abort();
    }
  }

  async owner(name: string): Promise<NameOwner | undefined> {
    const found = await this.#serviceOf(name);
    if (found === undefined) return undefined;
    const { ID, Spec } = found;
    const isLive = async () => {
      const tasks = await this.#tasksOf([ID]);
      return tasks.length === 0 || !tasks.every(isFinal);
    };
    return { ...ownerIn(Spec.Labels ?? {}), isLive };
  }

  /** The request as the nodes can do it: one refuses a container that may use more processors than it has. */
  async possible(request: WorkRequest): Promise<WorkRequest> {
    const { options } = request;
    if (options.limits?.cpus === undefined) return request;
    const limits = { ...options.limits, cpus: await this.#nodes.atMost(options.limits.cpus) };
    return { ...request, options: { ...options, limits } };
  }

  /** How a service stands that has these tasks, the newest first; undefined without tasks. */
  async lookOf(tasks: readonly Task[]): Promise<Look | undefined> {
    const task = decidingTask(tasks);
    if (task === undefined) return undefined;
    const isFailed = jobStatusOf(task) === 'finishedWithError';
    const cause = isFailed || isGivenUp(task) ? await this.#swarm.cause(task) : undefined;
    return lookOfTasks(tasks, cause);
  }

  /**
   * What stands for the workers of a service that have no task, once all others have ended. Somebody has scaled it down, or the
   * engine has not got to them yet: its word of how many it is to have tells which. The original's manager makes one worker,
   * however many are asked for, and no label.
   */
  async #missing(name: string, tasks: readonly Task[], workers?: number): Promise<readonly Task[]> {
    const isAll = missingWorkers(tasks, workers) === 0;
    if (isAll || tasks.length === 0 || !tasks.every(isFinal)) return [];
    const spec = (await this.#serviceOf(name))?.Spec;
    if (spec !== undefined && ownerIn(spec.Labels ?? {}).job === undefined) return [];
    const replicas = spec?.Mode?.Replicated?.Replicas ?? 0;
    return replicas < (workers ?? 1) ? removedTasks(tasks, workers) : unmadeTasks(tasks, workers);
  }

  /** What an earlier call for the same job has made. */
  async #made({ name, owner }: WorkRequest): Promise<Started | undefined> {
    const found = await this.#serviceOf(name);
    if (found === undefined || ownerIn(found.Spec.Labels ?? {}).job !== owner.job) return undefined;
    return startedOf(found.ID);
  }

  async #serviceOf(name: string): Promise<Listed | undefined> {
    const found = await this.#client.askIfThere(`look for service "${name}"`, () =>
      this.#client.docker.getService(name).inspect(),
    );
    const service = found && serviceSchema.parse(found);
    return service?.Spec.Name === name ? service : undefined; // else the beginning of another one's ID
  }

  /** The tasks of those that are there, the newest first. */
  async #tasksByName(works: readonly Work[]): Promise<ReadonlyMap<string, readonly Task[]>> {
    if (works.length === 0) return new Map();
    const known = works.flatMap((work) => {
      const id = idOf(work);
      return id === undefined ? [] : [{ name: work.name, id }];
    });
    if (known.length === works.length) {
      try {
        return await this.#tasksOfServices(known);
      } catch (error) {
        // The engine answers nothing about any when one of them is gone.
        if (!(error instanceof PmanError) || error.code !== 'not_found') throw error;
      }
    }
    const ids = new Map(works.map((work) => [work.name, idOf(work)]));
    const services = (await this.#services(READ_STATES))
      .map(({ ID, Spec }) => ({ id: ID, name: Spec.Name }))
      .filter(({ id, name }) => ids.has(name) && (ids.get(name) ?? id) === id);
    return this.#tasksOfServices(services);
  }

  /** @throws PmanError not_found when one of them is not there */
  async #tasksOfServices(services: readonly Service[]): Promise<ReadonlyMap<string, Task[]>> {
    const byService = new Map<string, Task[]>(services.map(({ id }) => [id, []]));
    for (const task of await this.#tasksOf([...byService.keys()])) {
      byService.get(task.ServiceID ?? '')?.push(task);
    }
    return new Map(services.map(({ id, name }) => [name, byService.get(id) ?? []]));
  }

  async #services(doing: string): Promise<readonly Listed[]> {
    const listed = await this.#client.ask(doing, () => this.#client.docker.listServices());
    return z.array(serviceSchema).parse(listed);
  }

  /** Newest first. */
  async #tasksOf(ids: readonly string[]): Promise<readonly Task[]> {
    const tasks: Task[] = [];
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
      const service = ids.slice(at, at + IDS_AT_ONCE);
      const list = await this.#client.ask(READ_STATES, () =>
        this.#client.docker.listTasks({ filters: JSON.stringify({ service }) }),
      );
      tasks.push(...parseTasks(list));
    }
    return newestFirst(tasks);
  }
}

const serviceSchema = z.looseObject({
  ID: z.string(),
  Spec: z.looseObject({
    Name: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Mode: z
      .looseObject({ Replicated: z.looseObject({ Replicas: z.number().optional() }).nullish() })
      .nullish(),
  }),
});
type Listed = z.infer<typeof serviceSchema>;

const startedOf = (service: string): Started => ({ handle: { service }, printed: '' });

const idOf = ({ handle }: Work) => handleSchema.safeParse(handle).data?.service;
