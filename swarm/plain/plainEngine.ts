import type Docker from 'dockerode';
import type { ContainerCreateOptions, ContainerInspectInfo, MountSettings } from 'dockerode';
import { sharedCall } from '../../lib/concurrency/sharedCall.ts';
import { BadRequestError, PmanError } from '../../lib/errors.ts';
import type {
  ContainerManager,
  ContainerRequest,
  ContainerState,
  ServiceFacts,
} from '../../lib/jobs/container/engine.ts';
import { FOR_EVER } from '../client/engineClient.ts';
import { splitCommandLine } from '../commandLine.ts';
import { EngineBase } from '../engineBase.ts';
import { serviceSpec } from '../service/serviceSpec.ts';
import { isFinal } from '../service/task.ts';
import { stateOfContainers, taskOf } from './plainTask.ts';

/** The label of a container that names the service it is a worker of. */
const SERVICE_LABEL = 'org.fnndsc.pman.service';
const WORKERS_LABEL = 'org.fnndsc.pman.workers';

/**
 * Jobs as containers of one engine that is no swarm: a Docker Engine, or Podman's socket, which answers the same
 * calls. A container is shown as a task, so that records look the same.
 */
export class PlainJobEngine extends EngineBase {
  #processors: number | undefined;

  /** Manager images make services, and there are none here: the built-in manager does it. */
  override manager(): ContainerManager {
    return {
      schedule: (request) => this.#schedule(request),
      state: async (service) => (await this.states(new Set([service]))).get(service),
      remove: (service) => this.#remove(service),
    };
  }

  override async managerLabels(): Promise<undefined> {
    return undefined;
  }

  override nameProblem(service: string): string | undefined {
    return /^[A-Za-z0-9][\w.-]+$/.test(service)
      ? undefined
      : '2 to 63 letters, digits, "_", "." or "-", the first a letter or a digit';
  }

  override readonly names = sharedCall(async () => {
    const listed = await this.client.ask('list the containers', () =>
      this.docker.listContainers({ all: true }),
    );
    return new Set(listed.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, ''))));
  });

  override async facts(service: string): Promise<ServiceFacts | undefined> {
    const [first, ...more] = await this.#containersOf([service]);
    if (first !== undefined) {
      const tasks = [first, ...more].map(taskOf);
      const { Labels } = first.Config;
      const isWhole =
        tasks.length === Number(Labels?.[WORKERS_LABEL] ?? 1) &&
        tasks.every(({ Status }) => Status.State !== 'starting');
      return { labels: Labels ?? {}, isLive: async () => !tasks.every(isFinal), isWhole };
    }
    // Somebody else's container may have the name.
    const other = await this.client.askIfThere(`look for container "${service}"`, () =>
      this.docker.getContainer(service).inspect(),
    );
    if (other?.Name !== `/${service}`) return undefined;
    return { labels: other.Config.Labels ?? {}, isLive: async () => true, isWhole: true };
  }

  override async states(
    services: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, ContainerState>> {
    const byService = new Map<string, ContainerInspectInfo[]>();
    for (const container of await this.#containersOf([...services])) {
      const service = container.Config.Labels?.[SERVICE_LABEL] ?? '';
      byService.set(service, [...(byService.get(service) ?? []), container]);
    }
    const states = new Map<string, ContainerState>();
    for (const [service, containers] of byService) {
      const state = stateOfContainers(containers);
      if (state !== undefined) states.set(service, state);
    }
    return states;
  }

  override async signal(service: string, signal: NodeJS.Signals): Promise<boolean> {
    const running = (await this.#containersOf([service])).filter(({ State }) => State.Running);
    for (const { Id } of running) await this.signalContainer(Id, signal);
    return true;
  }

  override changes(
    onChange: (service: string) => void,
    { signal, onOpen }: { readonly signal: AbortSignal; readonly onOpen: () => void },
  ): Promise<void> {
    return this.events({
      // Podman knows no filter for a label of any value, and has names of its own for the events.
      filters: { type: ['container'] },
      signal,
      onOpen,
      onEvent: (attributes) => {
        const service = attributes[SERVICE_LABEL];
        if (service !== undefined) onChange(service);
      },
    });
  }

  async #schedule(request: ContainerRequest): Promise<string> {
    const { service, options } = request;
    const names = Array.from({ length: options.workers ?? 1 }, (_, i) =>
      i === 0 ? service : `${service}.${i + 1}`,
    );
    const spec = await this.#containerOf(request);
    const made: Docker.Container[] = [];
    try {
      for (const name of names) made.push(await this.#create({ ...spec, name }));
      if (options.limits?.gpus) await this.#requireDevices(made);
      for (const container of made) {
        await this.client.ask(`start container "${service}"`, () => container.start());
      }
    } catch (error) {
      if (error instanceof PmanError && error.code === 'unavailable') throw error; // found again
      for (const { id } of made) await this.#removeContainer(id);
      throw error;
    }
    return '';
  }

  /** With the words of the service: what a swarm would make of them on its nodes. */
  async #containerOf(request: ContainerRequest): Promise<ContainerCreateOptions> {
    const { service, image, cmd, shareDir, labels, options } = request;
    const { limits = {}, env, user, mounts } = options;
    const spec = serviceSpec({
      name: service,
      image,
      command: [],
      ...(shareDir === undefined ? {} : { shareDir }),
      ...(mounts && { mounts }),
    }).TaskTemplate as { readonly ContainerSpec: { readonly Mounts: MountSettings[] } };
    const { cpus, memoryBytes, gpus } = limits;
    return {
      Image: image,
      Entrypoint: splitCommandLine(cmd),
      Tty: true,
      Labels: {
        ...options.labels,
        ...labels,
        [SERVICE_LABEL]: service,
        [WORKERS_LABEL]: String(options.workers ?? 1),
      },
      ...(env && { Env: Object.entries(env).map(([key, value]) => `${key}=${value}`) }),
      ...(user !== undefined && { User: user }),
      HostConfig: {
        Mounts: spec.ContainerSpec.Mounts,
        ...(cpus !== undefined && { NanoCpus: Math.round((await this.#atMost(cpus)) * 1e9) }),
        ...(memoryBytes !== undefined && { Memory: memoryBytes }),
        ...(gpus && {
          DeviceRequests: [{ Driver: '', Count: gpus, Capabilities: [['gpu']] }],
        }),
      },
    };
  }

  /** Podman takes a request for devices without a word and forgets it. */
  async #requireDevices(containers: readonly Docker.Container[]): Promise<void> {
    for (const container of containers) {
      const { HostConfig } = await this.client.ask('look at a new container', () =>
        container.inspect(),
      );
      if (HostConfig.DeviceRequests?.length) continue;
      throw new BadRequestError('this engine gives no GPUs to containers through its Docker API', {
        hint: 'leave out meta.gpu_limit',
      });
    }
  }

  /** An engine refuses more processors than it has. */
  async #atMost(cpus: number): Promise<number> {
    if (this.#processors === undefined) {
      const info = (await this.client.ask('read what the engine has', () =>
        this.docker.info(),
      )) as {
        readonly NCPU?: number;
      };
      this.#processors = info.NCPU ?? 0;
    }
    return this.#processors > 0 ? Math.min(cpus, this.#processors) : cpus;
  }

  /** Creates a container; its image is fetched when the engine lacks it, as a swarm's nodes do. */
  async #create(options: ContainerCreateOptions): Promise<Docker.Container> {
    const doing = `make container "${options.name}"`;
    const create = () => this.client.ask(doing, () => this.docker.createContainer(options));
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'not_found' || !options.Image)
        throw error;
      await this.#pull(options.Image, error);
      return create();
    }
  }

  async #pull(image: string, absent: PmanError): Promise<void> {
    try {
      await this.client.ask(
        `fetch image ${image}`,
        async () => {
          const stream = await this.docker.pull(image.includes(':') ? image : `${image}:latest`);
          await new Promise<void>((resolve, reject) => {
            this.docker.modem.followProgress(stream, (error) =>
              error ? reject(error) : resolve(),
            );
          });
        },
        FOR_EVER,
      );
    } catch (error) {
      if (error instanceof PmanError && error.code === 'unavailable') throw error;
      throw absent; // that the image is not there says more
    }
  }

  async #remove(service: string): Promise<void> {
    for (const { Id } of await this.#containersOf([service])) await this.#removeContainer(Id);
  }

  async #removeContainer(id: string): Promise<void> {
    await this.client.askIfThere(`remove container ${id}`, () =>
      this.docker.getContainer(id).remove({ force: true, v: true }),
    );
  }

  async #containersOf(services: readonly string[]): Promise<readonly ContainerInspectInfo[]> {
    const doing = 'read the states of containers';
    const wanted = new Set(services);
    const listed = await this.client.ask(doing, () =>
      this.docker.listContainers({
        all: true,
        // One label by its value, or all that carry it: several values would mean "and".
        filters: {
          label: [services.length === 1 ? `${SERVICE_LABEL}=${services[0]}` : SERVICE_LABEL],
        },
      }),
    );
    const inspected = await Promise.all(
      listed
        .filter(({ Labels }) => wanted.has(Labels[SERVICE_LABEL] ?? ''))
        .map(({ Id }) =>
          this.client.askIfThere(doing, () => this.docker.getContainer(Id).inspect()),
        ),
    );
    return inspected.filter((found) => found !== undefined);
  }
}
