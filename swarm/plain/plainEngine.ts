import type { ContainerInspectInfo } from 'dockerode';
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
  type LookOptions,
  type NameOwner,
  type Started,
  type StartOptions,
  type Work,
  type Worker,
  type WorkRequest,
} from '../../lib/jobs/container/engine.ts';
import type { EngineClient } from '../client/engineClient.ts';
import { readEvents } from '../client/events.ts';
import { signalContainer } from '../client/signalContainer.ts';
import { type Labels, NAME_LABEL, ownerIn, WORKERS_LABEL } from '../labels.ts';
import { refuseImpossible } from '../refusals.ts';
import { isFinal } from '../service/task.ts';
import { followOutput, readOutput, tasksOf } from '../service/workerOutput.ts';
import { TakenNames } from '../takenNames.ts';
import { ContainerMaker } from './containerMaker.ts';
import { containerName } from './containerSpec.ts';
import { Inspections } from './inspections.ts';
import { isUnstarted, lookOfContainers, taskOf } from './plainTask.ts';

const NAME_FORM = {
  pattern: /^[A-Za-z0-9][\w.-]*$/,
  words: '1 to 63 letters, digits, "_", "." or "-", the first a letter or a digit',
};
const LOOKING = 'read the states of containers';
/** What is kept: the containers, one a worker, by IDs that no other one ever has. Earlier builds of 3.0.0 kept nothing. */
const handleSchema = z.looseObject({ containers: z.array(z.string()).optional() });

/**
 * Work as containers of one engine that is no swarm: a Docker Engine, or Podman's socket, which answers the same
 * calls. A container is shown as a task, so that records look the same. Manager images make services, and there are none
 * here: this engine does what they would.
 */
export class PlainEngine implements Engine {
  readonly #client: EngineClient;
  readonly #maker: ContainerMaker;
  readonly #inspections = new Inspections();
  readonly #names = new TakenNames(async () => {
    const listed = await this.#client.ask('list the containers', () =>
      this.#client.docker.listContainers({ all: true }),
    );
    return new Set(listed.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, ''))));
  });

  constructor(client: EngineClient) {
    this.#client = client;
    this.#maker = new ContainerMaker(client);
  }

  async check(request: WorkRequest, { namesKnownForMs }: CheckOptions): Promise<Checked> {
    refuseImpossible(request, NAME_FORM);
    return { nameIsTaken: await this.#names.has(containerName(request.name), namesKnownForMs) };
  }

  async start(
    request: WorkRequest,
    { mayExist, cancelled, input, isLeft }: StartOptions,
  ): Promise<Started | undefined> {
    let ours = mayExist || cancelled.aborted ? await this.#ours(request) : [];
    for (;;) {
      if (isWhole(ours)) return startedOf(ours.map(({ Id }) => Id));
      if (cancelled.aborted && ours.length > 0) await this.#removeAll(request);
      try {
        const made = await this.#maker.make(request, ours, { cancelled, input, isLeft });
        return made && startedOf(made);
      } catch (error) {
        if (!(error instanceof PmanError) || error.code !== 'conflict') throw error;
        const found = await this.#ours(request);
        const known = new Set(ours.map(({ Id }) => Id));
        if (found.every(({ Id }) => known.has(Id))) {
          // A name is somebody else's: then none of ours has been started.
          if (found.every(isUnstarted)) await this.#removeAll(request);
          throw error;
        }
        ours = found;
      }
    }
  }

  async look(
    works: readonly Work[],
    { haveChanged = false }: LookOptions = {},
  ): Promise<ReadonlyMap<string, Look>> {
    const byName = new Map<string, ContainerInspectInfo[]>();
    const ids = haveChanged ? idsOfAll(works) : undefined;
    const containers = ids
      ? await this.#inspectAll(ids)
      : await this.#containersOf(works, { isEachRead: false });
    for (const container of containers) {
      const name = labelsOf(container)[NAME_LABEL] ?? '';
      byName.set(name, [...(byName.get(name) ?? []), container]);
    }
    const looks = new Map<string, Look>();
    const workers = new Map(works.map((work) => [work.name, work.workers]));
    for (const [name, containers] of byName) {
      const look = lookOfContainers(containers, workers.get(name));
      if (look !== undefined) looks.set(name, look);
    }
    return looks;
  }

  async end(work: Pick<Work, 'name'>, { signal }: EndOrder): Promise<boolean> {
    const containers = await this.#containersOf([work]);
    const running = containers.filter(({ State }) => State.Running);
    for (const { Id } of running) await signalContainer(this.#client, Id, signal);
    // One that was made and not started is not reached.
    return containers.every((one) => one.State.Running || isFinal(taskOf(one)));
  }

  async remove(work: Work, job?: string): Promise<void> {
    for (const id of idsOf(work) ?? (await this.#foundOf(work, job))) {
      await this.#maker.remove(id);
      this.#inspections.forget(id);
    }
  }

  logs(workers: readonly Worker[], limitBytes: number): Promise<string> {
    return readOutput(this.#client, tasksOf(workers), limitBytes);
  }

  follow(worker: Worker, options: FollowOptions): Promise<void> {
    return followOutput(this.#client, tasksOf([worker])[0], options);
  }

  changes(onChange: (name: string) => void, { signal, onOpen }: ChangesOptions): Promise<void> {
    return readEvents(this.#client, {
      // Podman knows no filter for a label of any value, and has names of its own for the events.
      filters: { type: ['container'] },
      signal,
      onOpen,
      onEvent: (attributes) => {
        const name = attributes[NAME_LABEL];
        if (name !== undefined) onChange(name);
      },
    });
  }

  async owner(name: string): Promise<NameOwner | undefined> {
    const containers = await this.#containersOf([{ name }]);
    const [first] = containers;
    if (first !== undefined) {
      const isLive = async () => !containers.map(taskOf).every(isFinal);
      return { ...ownerIn(labelsOf(first)), isLive };
    }
    // Somebody else's container may have the name.
    const its = containerName(name);
    const other = await this.#client.askIfThere(`look for container "${its}"`, () =>
      this.#client.docker.getContainer(its).inspect(),
    );
    if (other?.Name !== `/${its}`) return undefined;
    return { ...ownerIn(labelsOf(other)), isLive: async () => true };
  }

  #removeAll({ name }: WorkRequest): Promise<void> {
    return this.remove({ name, handle: undefined });
  }

  /** The containers of this request that an earlier call, which may have been cut off, has made. */
  async #ours({ name, owner }: WorkRequest): Promise<readonly ContainerInspectInfo[]> {
    const containers = await this.#containersOf([{ name }]);
    return containers.filter((container) => ownerIn(labelsOf(container)).job === owner.job);
  }

  /** The containers of some work whose IDs are not known; with a job root only those of that job. */
  async #foundOf(work: Work, job: string | undefined): Promise<readonly string[]> {
    const found = await this.#containersOf([work]);
    return found
      .filter((one) => job === undefined || isOfJob(ownerIn(labelsOf(one)), work, job))
      .map(({ Id }) => Id);
  }

  /** @param isEachRead false: what is known of one whose state has not changed is good enough */
  async #containersOf(
    works: readonly Pick<Work, 'name'>[],
    { isEachRead = true } = {},
  ): Promise<readonly ContainerInspectInfo[]> {
    if (works.length === 0) return [];
    const wanted = new Set(works.map(({ name }) => name));
    const [one] = wanted;
    const listed = await this.#client.ask(LOOKING, () =>
      this.#client.docker.listContainers({
        all: true,
        // One label by its value, or all that carry it: several values would mean "and".
        filters: { label: [wanted.size === 1 ? `${NAME_LABEL}=${one}` : NAME_LABEL] },
      }),
    );
    if (wanted.size > 1) this.#inspections.keepOnly(listed);
    const inspected = await Promise.all(
      listed
        .filter(({ Labels }) => wanted.has(Labels[NAME_LABEL] ?? ''))
        .map(async (one) => {
          const known = isEachRead ? undefined : this.#inspections.of(one);
          return known ?? this.#inspect(one.Id);
        }),
    );
    return inspected.filter((found) => found !== undefined);
  }

  /** Those of these containers that are there. A list of all would cost the engine twenty times what one of them does. */
  async #inspectAll(ids: readonly string[]): Promise<readonly ContainerInspectInfo[]> {
    const inspected = await Promise.all(ids.map((id) => this.#inspect(id)));
    return inspected.filter((found) => found !== undefined);
  }

  async #inspect(id: string): Promise<ContainerInspectInfo | undefined> {
    const found = await this.#client.askIfThere(LOOKING, () =>
      this.#client.docker.getContainer(id).inspect(),
    );
    if (found !== undefined) this.#inspections.put(found);
    return found;
  }
}

const startedOf = (containers: readonly string[]): Started => ({
  handle: { containers },
  printed: '',
});

const idsOf = ({ handle }: Work) => handleSchema.safeParse(handle).data?.containers;

/** The containers of some works; undefined where they are not known of each. */
function idsOfAll(works: readonly Work[]): readonly string[] | undefined {
  const ids: string[] = [];
  for (const work of works) {
    const its = idsOf(work);
    if (its === undefined) return undefined;
    ids.push(...its);
  }
  return ids;
}

const labelsOf = ({ Config }: ContainerInspectInfo): Labels => Config.Labels ?? {};

/** Whether all workers of a request have been made, and started. */
function isWhole(containers: readonly ContainerInspectInfo[]): boolean {
  const [first] = containers;
  if (first === undefined) return false;
  return (
    containers.length === Number(labelsOf(first)[WORKERS_LABEL] ?? 1) &&
    !containers.some(isUnstarted)
  );
}
