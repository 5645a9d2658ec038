import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import { PmanError } from '../../lib/errors.ts';
import {
  causeOf,
  KILLED_EXIT,
  memoryCause,
  perhapsMemoryCause,
} from '../../lib/jobs/causeWords.ts';
import { type Logger, type LogMethods, loggerOver } from '../../lib/log.ts';
import { type EngineSettings, engineAddress } from '../client/engineAddress.ts';
import type { EngineClient } from '../client/engineClient.ts';
import { openEngine } from '../client/openEngine.ts';
import { type ServiceRequest, serviceSpec } from './serviceSpec.ts';
import {
  causeOfTask,
  isGivenUp,
  memoryLimitOf,
  newestFirst,
  parseTasks,
  type Task,
} from './task.ts';
import { ranOutOfMemory, readOutput } from './workerOutput.ts';

const FIRST_TASK_WITHIN_MS = 5000;
const POLL_MS = 50;
/** What the engine takes for a service's name, and no more: the name becomes a part of a path. */
const POSSIBLE_NAME = /^[A-Za-z0-9][\w.-]*$/;

/** A service that the engine has. */
export interface Service {
  readonly id: string;
  readonly name: string;
}

/**
 * Runs commands as services of a Docker swarm. Every call fails with a PmanError: not_found for a service that is
 * not there, conflict for a name that is taken, bad_request for what the engine refuses, unavailable when there
 * is no engine or it is no swarm manager.
 */
export class SwarmManager {
  readonly #client: EngineClient;
  readonly #docker: Docker;
  readonly #log: Logger;

  constructor(client: EngineClient, log: Logger) {
    this.#client = client;
    this.#docker = client.docker;
    this.#log = log.child({ component: 'swarm' });
  }

  /** Makes the service and returns at once; its image is looked for later, by the node that gets the task. */
  async schedule(request: ServiceRequest): Promise<Service> {
    const created = await this.#client.ask(`schedule service "${request.name}"`, () =>
      this.#docker.createService(serviceSpec(request)),
    );
    const { id } = created;
    this.#log.info('service scheduled', { service: request.name, id, image: request.image });
    return { id, name: request.name };
  }

  /** The newest task of a service: the one that counts when the engine has tried more than once. */
  async state(name: string): Promise<Task> {
    const [newest] = await this.tasks(name);
    if (newest) return newest;
    throw new PmanError('unavailable', `service "${name}" has no task yet`, {
      hint: 'The engine makes a task within moments: ask again.',
    });
  }

  /**
   * All tasks of a service that the engine still knows, the newest first; of several workers each has one or more.
   * A service that was just made has none for a moment: this waits for the first, 5 seconds at most.
   */
  async tasks(name: string): Promise<readonly Task[]> {
    const { id } = await this.#find(name, 'read the state of');
    for (const deadline = Date.now() + FIRST_TASK_WITHIN_MS; ; await sleep(POLL_MS)) {
      const list = await this.#client.ask(`read the state of service "${name}"`, () =>
        this.#docker.listTasks({ filters: JSON.stringify({ service: [id] }) }),
      );
      const tasks = parseTasks(list);
      if (tasks.length > 0 || Date.now() > deadline) return newestFirst(tasks);
    }
  }

  /**
   * The tasks, newest first, of every service that carries a label ('key' or 'key=value'), by the service's name. Two calls,
   * however many services there are: an engine that starts 50 containers answers 50 single questions slowly.
   */
  async tasksByService(label: string): Promise<ReadonlyMap<string, readonly Task[]>> {
    const doing = `list the services with the label "${label}"`;
    const listed = await this.#client.ask(doing, () =>
      this.#docker.listServices({ filters: { label: [label] } }),
    );
    const services = z.array(serviceSchema).parse(listed);
    if (services.length === 0) return new Map();
    const ids = services.map(({ ID }) => ID);
    const tasks = newestFirst(
      parseTasks(
        await this.#client.ask(doing, () =>
          this.#docker.listTasks({ filters: JSON.stringify({ service: ids }) }),
        ),
      ),
    );
    return new Map(
      services.map(({ ID, Spec }) => [Spec.Name, tasks.filter((task) => task.ServiceID === ID)]),
    );
  }

  /**
   * All that a service's containers have written so far, stdout and stderr as they came; several tasks one after
   * the other, the oldest first. Lines end in CR LF, since services have a terminal.
   */
  async logs(name: string): Promise<string> {
    const tasks = await this.tasks(name);
    const doing = `read the logs of service "${name}"`;
    return readOutput(this.#client, [...tasks].reverse(), Number.POSITIVE_INFINITY, doing);
  }

  /**
   * Why a task ended otherwise than well, or has to wait, as a sentence; undefined when all is well. Says more than the
   * task alone: that its container ran out of memory, which the task shows as exit code 137, or that its node is lost.
   */
  async cause(task: Task): Promise<string | undefined> {
    const { State, Message, ContainerStatus } = task.Status;
    const exitCode = ContainerStatus?.ExitCode;
    if (State === 'failed' && Message !== 'starting' && exitCode !== undefined) {
      const limit = memoryLimitOf(task);
      // Another code than that of a kill is of a command whose child was killed: at its own limit only.
      if (exitCode === KILLED_EXIT || limit !== undefined) {
        if (await ranOutOfMemory(this.#client, task)) return memoryCause(exitCode, limit);
        // A container of another node tells nothing. One of this node does not always: the engine may hear of the
        // container's end, and not of what the kernel did.
        if (exitCode === KILLED_EXIT && limit !== undefined) return perhapsMemoryCause(limit);
      }
    }
    return isGivenUp(task) ? this.#causeOfNode(task) : causeOfTask(task);
  }

  /** The swarm gives up the tasks of a node that it does not hear of, and calls them orphaned only a day later. */
  async #causeOfNode(task: Task): Promise<string | undefined> {
    const nodes = nodeSchema.parse(
      await this.#client.ask('list the nodes', () => this.#docker.listNodes()),
    );
    const node = nodes.find(({ ID }) => ID === task.NodeID);
    if (node !== undefined && node.Status.State !== 'down') return causeOfTask(task);
    const name = node?.Description?.Hostname ?? task.NodeID;
    return causeOf('nodeLost', `"${name}"; what its container does is not known`);
  }

  /** Ends a service's containers and forgets it. */
  async remove(name: string): Promise<void> {
    await this.removeOne(await this.#find(name, 'remove'));
  }

  /** The same for one whose ID is known. */
  async removeOne({ id, name }: Service): Promise<void> {
    await this.#client.ask(`remove service "${name}"`, () => this.#docker.getService(id).remove());
    this.#log.info('service removed', { service: name, id });
  }

  /**
   * The service of this name or full ID. The engine itself would also take the first letters of an ID, so that a
   * mistyped name could remove another service.
   */
  async #find(name: string, verb: string): Promise<Service> {
    const doing = `${verb} service "${name}"`;
    const absent = new PmanError('not_found', `cannot ${doing}: service ${name} not found`);
    if (!POSSIBLE_NAME.test(name)) throw absent;
    const found = serviceSchema.parse(
      await this.#client.ask(doing, () => this.#docker.getService(name).inspect()),
    );
    if (found.Spec.Name !== name && found.ID !== name) throw absent;
    return { id: found.ID, name: found.Spec.Name };
  }
}

/**
 * The manager of the engine that the settings mean (see engineAddress). Sends nothing yet, and keeps nothing open.
 * @param logger default: nothing is logged
 * @throws UsageError for settings that name no usable engine
 */
export async function openSwarm(
  settings: EngineSettings,
  logger?: LogMethods,
): Promise<SwarmManager> {
  const address = await engineAddress(settings);
  const client = await openEngine(address, settings.env.SSH_AUTH_SOCK);
  return new SwarmManager(client, loggerOver(logger));
}

const nodeSchema = z.array(
  z.looseObject({
    ID: z.string(),
    Status: z.looseObject({ State: z.string() }),
    Description: z.looseObject({ Hostname: z.string().optional() }).optional(),
  }),
);

const serviceSchema = z.looseObject({
  ID: z.string(),
  Spec: z.looseObject({ Name: z.string() }),
});
