import type Docker from 'dockerode';
import { z } from 'zod';
import { PmanError } from '../lib/errors.ts';
import type {
  ContainerEngine,
  ContainerManager,
  ContainerState,
  FollowOptions,
  ManagerImage,
  ServiceFacts,
} from '../lib/jobs/container/engine.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import { type EngineClient, FOR_EVER } from './client/engineClient.ts';
import { type EventsOptions, readEvents } from './client/events.ts';
import { cappedLogs, followLogs } from './client/logs.ts';
import { withoutLogError } from './client/logText.ts';
import { parseTasks, type Task } from './service/task.ts';

/** How long it is believed that an image is there, in milliseconds. */
const IMAGE_KNOWN_MS = 10_000;

/** What a swarm and an engine without one have in common. */
export abstract class EngineBase implements ContainerEngine {
  protected readonly client: EngineClient;
  protected readonly docker: Docker;
  readonly #images = new Map<string, Readonly<Record<string, string>>>();

  constructor(client: EngineClient) {
    this.client = client;
    this.docker = client.docker;
  }

  abstract manager(manager?: ManagerImage): ContainerManager;
  abstract nameProblem(service: string): string | undefined;
  abstract readonly names: () => Promise<ReadonlySet<string>>;
  abstract facts(service: string): Promise<ServiceFacts | undefined>;
  abstract states(services: ReadonlySet<string>): Promise<ReadonlyMap<string, ContainerState>>;
  abstract signal(service: string, signal: NodeJS.Signals): Promise<boolean>;
  abstract changes(
    onChange: (service: string) => void,
    options: { readonly signal: AbortSignal; readonly onOpen: () => void },
  ): Promise<void>;

  async managerLabels(image: string): Promise<Readonly<Record<string, string>> | undefined> {
    const known = this.#images.get(image);
    if (known !== undefined) return known;
    const found = await this.client.askIfThere(`look for image ${image}`, () =>
      this.docker.getImage(image).inspect(),
    );
    if (found === undefined) return undefined;
    const labels: Readonly<Record<string, string>> = found.Config?.Labels ?? {};
    this.#images.set(image, labels);
    setTimeout(() => this.#images.delete(image), IMAGE_KNOWN_MS).unref();
    return labels;
  }

  async logs({ tasks }: ContainerState, limitBytes: number): Promise<string> {
    const texts: string[] = [];
    for (const task of parseTasks(tasks)) texts.push(await this.#logsOf(task, limitBytes));
    return texts.join('');
  }

  async follow(task: JsonObject, options: FollowOptions): Promise<void> {
    const [{ Status } = { Status: undefined }] = parseTasks([task]);
    const id = Status?.ContainerStatus?.ContainerID;
    if (!id) return;
    const doing = `follow the logs of container ${id}`;
    const container = await this.#container(id, doing);
    if (container === undefined) return;
    options.onOpen();
    let from = options.from;
    const write = async (bytes: Buffer) => {
      from += bytes.length;
      await options.write(bytes);
    };
    // Engines may end the stream of a container that has just ended before its last line: it is read once more.
    for (const follow of [true, false]) {
      await this.client.askIfThere(
        doing,
        (over) => {
          const signal = AbortSignal.any([options.signal, over]);
          const tty = container.Config.Tty;
          const path = `/containers/${id}/logs`;
          return followLogs(this.docker, path, { from, signal, write, tty, follow });
        },
        FOR_EVER,
      );
    }
  }

  async settle(): Promise<void> {}

  async cleanUp(label: string): Promise<void> {
    const doing = 'look for manager containers that were left';
    const left = await this.client.ask(doing, () =>
      this.docker.listContainers({ all: true, filters: { label: [`${label}=manager`] } }),
    );
    for (const { Id } of left) {
      await this.client.askIfThere(doing, () =>
        this.docker.getContainer(Id).remove({ force: true }),
      );
    }
  }

  protected async events(options: EventsOptions): Promise<void> {
    await this.client.ask(
      'listen to events',
      (over) =>
        readEvents(this.docker, { ...options, signal: AbortSignal.any([options.signal, over]) }),
      FOR_EVER,
    );
  }

  /** False when this engine has no such container. */
  protected async signalContainer(
    id: string | undefined,
    signal: NodeJS.Signals,
  ): Promise<boolean> {
    if (!id) return false;
    const doing = `send ${signal} to container ${id}`;
    const container = this.docker.getContainer(id);
    try {
      const sent = await this.client.askIfThere(doing, async () => {
        await container.kill({ signal });
        return true;
      });
      return sent === true;
    } catch (error) {
      if (!(error instanceof PmanError) || error.code === 'unavailable') throw error;
      // It may have ended meanwhile, for which engines have different words.
      const now = await this.client.askIfThere(doing, () => container.inspect());
      if (now?.State.Running) throw error;
      return true;
    }
  }

  #container(id: string, doing: string) {
    return this.client.askIfThere(doing, () => this.docker.getContainer(id).inspect());
  }

  /** The container at hand first: quickest and whole. One of another node is asked for through the swarm. */
  async #logsOf(task: Task, limitBytes: number): Promise<string> {
    const id = task.Status.ContainerStatus?.ContainerID;
    if (!id) return '';
    const doing = `read the logs of container ${id}`;
    const container = await this.#container(id, doing);
    const limits = (tty: boolean) => ({ tty, limitBytes });
    if (container !== undefined) {
      const { Tty } = container.Config;
      return this.client.ask(doing, () =>
        cappedLogs(this.docker, `/containers/${id}/logs`, limits(Tty)),
      );
    }
    const tty = taskTtySchema.parse(task).Spec?.ContainerSpec?.TTY ?? false;
    const text = await this.client.askIfThere(doing, () =>
      cappedLogs(this.docker, `/tasks/${task.ID}/logs`, limits(tty)),
    );
    return withoutLogError(text ?? '');
  }
}

const taskTtySchema = z.looseObject({
  Spec: z
    .looseObject({ ContainerSpec: z.looseObject({ TTY: z.boolean().optional() }).optional() })
    .optional(),
});
