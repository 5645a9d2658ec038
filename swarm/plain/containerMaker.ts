import type Docker from 'dockerode';
import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import { BadRequestError, PmanError } from '../../lib/errors.ts';
import type { StartOptions, WorkRequest } from '../../lib/jobs/container/engine.ts';
import { type EngineClient, FOR_EVER } from '../client/engineClient.ts';
import { containerNames, containerSpec } from './containerSpec.ts';
import { inputArchive } from './inputArchive.ts';
import { hasRun, isUnstarted } from './plainTask.ts';

/** After such a failure the caller looks what is there. */
const KEPT_AFTER: ReadonlySet<string> = new Set(['unavailable', 'conflict']);

/** Podman would give what runs the time that it has when it is stopped; Docker does not, and knows of no such word. */
const AT_ONCE = { force: true, v: true, timeout: 0 };

/** Makes and removes the containers of work on an engine that is no swarm. */
export class ContainerMaker {
  readonly #client: EngineClient;
  #processors: number | undefined;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /**
   * Makes a container for each worker, then starts them. When it fails, nothing of it is left, but when
   * the engine is away or a name is taken.
   * @param earlier what a call that was cut off has made of it: this is used, since what runs must not run twice
   * @returns the IDs of all; undefined when it was cancelled
   */
  async make(
    request: WorkRequest,
    earlier: readonly ContainerInspectInfo[],
    { cancelled, input, isLeft }: Pick<StartOptions, 'cancelled' | 'input' | 'isLeft'>,
  ): Promise<readonly string[] | undefined> {
    if (cancelled.aborted) return undefined;
    const { name, options } = request;
    const spec = containerSpec(request, await this.#atMost(options.limits?.cpus));
    const known = new Map(
      earlier.map((container) => [container.Name.replace(/^\//, ''), container]),
    );
    const made = earlier.map(({ Id }) => this.#client.docker.getContainer(Id));
    const unstarted = earlier
      .filter(isUnstarted)
      .map(({ Id }) => this.#client.docker.getContainer(Id));
    try {
      for (const worker of containerNames(request)) {
        if (known.has(worker)) continue;
        const container = await this.#create({ ...spec, name: worker }, cancelled);
        if (container === undefined) continue;
        made.push(container);
        unstarted.push(container);
      }
      if (options.limits?.gpus) await this.#requireDevices(made);
      if (cancelled.aborted) {
        await this.#removeAll(made);
        return undefined;
      }
      const archive = input && inputArchive(input);
      for (const container of unstarted) {
        // The next server finds it and starts it; what has run by then would run again.
        if (isLeft?.() === true) throw new PmanError('unavailable', 'pman has been closed');
        // Also into one that an earlier call has made: nobody knows whether it got that far.
        if (archive !== undefined) await this.#putInto(container, archive, name);
        await this.#start(container, name);
      }
    } catch (error) {
      // Found again, also when a call that was cut off has come through meanwhile: what runs may be among it.
      if (error instanceof PmanError && KEPT_AFTER.has(error.code)) throw error;
      await this.#removeAll(made);
      throw error;
    }
    return made.map(({ id }) => id);
  }

  async #putInto(container: Docker.Container, archive: Buffer, name: string): Promise<void> {
    const doing = `give container "${name}" its input`;
    await this.#client.ask(doing, () => container.putArchive(archive, { path: '/' }));
  }

  async #start(container: Docker.Container, name: string): Promise<void> {
    const doing = `start container "${name}"`;
    try {
      await this.#client.ask(doing, () => container.start());
    } catch (error) {
      if (!(error instanceof PmanError) || error.code === 'unavailable') throw error;
      // The call that was cut off may have come through meanwhile.
      const now = await this.#client.askIfThere(doing, () => container.inspect());
      if (now === undefined || !hasRun(now)) throw error;
    }
  }

  /** Ends a container and forgets it, with the volumes that are its alone. */
  async remove(id: string): Promise<void> {
    await this.#client.askIfThere(`remove container ${id}`, () =>
      this.#client.docker.getContainer(id).remove(AT_ONCE),
    );
  }

  async #removeAll(containers: readonly Docker.Container[]): Promise<void> {
    for (const { id } of containers) await this.remove(id);
  }

  /**
   * Creates a container; its image is fetched when the engine lacks it, as a swarm's nodes do. Undefined when it was
   * cancelled.
   */
  async #create(
    options: ContainerCreateOptions,
    cancelled: AbortSignal,
  ): Promise<Docker.Container | undefined> {
    if (cancelled.aborted) return undefined;
    const create = () =>
      this.#client.ask(`make container "${options.name}"`, () =>
        this.#client.docker.createContainer(options),
      );
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'not_found' || !options.Image)
        throw error;
      await this.#pull(options.Image, error);
      return cancelled.aborted ? undefined : create();
    }
  }

  async #pull(image: string, absent: PmanError): Promise<void> {
    const { docker } = this.#client;
    try {
      await this.#client.ask(
        `fetch image ${image}`,
        async () => {
          const stream = await docker.pull(image.includes(':') ? image : `${image}:latest`);
          await new Promise<void>((resolve, reject) => {
            docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
          });
        },
        FOR_EVER,
      );
    } catch (error) {
      if (error instanceof PmanError && error.code === 'unavailable') throw error;
      throw absent; // that the image is not there says more
    }
  }

  /** Podman takes a request for devices without a word and forgets it. */
  async #requireDevices(containers: readonly Docker.Container[]): Promise<void> {
    for (const container of containers) {
      const { HostConfig } = await this.#client.ask('look at a new container', () =>
        container.inspect(),
      );
      if (HostConfig.DeviceRequests?.length) continue;
      throw new BadRequestError('this engine gives no GPUs to containers through its Docker API', {
        hint: 'leave out meta.gpu_limit',
      });
    }
  }

  /** So many processors, or as many as the engine has: it refuses more. */
  async #atMost(cpus: number | undefined): Promise<number | undefined> {
    if (cpus === undefined) return undefined;
    if (this.#processors === undefined) {
      const info = (await this.#client.ask('read what the engine has', () =>
        this.#client.docker.info(),
      )) as { readonly NCPU?: number };
      this.#processors = info.NCPU ?? 0;
    }
    return this.#processors > 0 ? Math.min(cpus, this.#processors) : cpus;
  }
}
