import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PmanError } from '../../lib/errors.ts';
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
  type ManagerImage,
  type NameOwner,
  type Started,
  type StartOptions,
  type Work,
  type Worker,
  type WorkRequest,
} from '../../lib/jobs/container/engine.ts';
import type { Logger } from '../../lib/log.ts';
import { OWN_MANAGER_LABEL } from '../labels.ts';
import type { SwarmEngine } from '../service/swarmEngine.ts';
import { handleOf, managerOf, tellerOf } from './handle.ts';
import { StrandedManagerError } from './managerCommand.ts';
import type { ManagerContainers } from './managerContainers.ts';
import { ManagerLooks } from './managerLooks.ts';

/** How long the engine may still be at what a manager that was stopped has asked of it, in milliseconds. */
const LAST_CALL_MS = 500;

export interface ManagedEngineParts {
  readonly inner: Engine & Pick<SwarmEngine, 'possible' | 'lookOf'>;
  readonly managers: Pick<ManagerContainers, 'labels' | 'schedule' | 'task' | 'remove' | 'settle'>;
  readonly log: Logger;
}

/**
 * A swarm whose services are made, looked at and removed by the manager image that a client names, as the original has it
 * (protocol g), where that image is there and can do what is asked. All else the swarm's own engine does.
 */
export class ManagedEngine implements Engine {
  readonly #inner: ManagedEngineParts['inner'];
  readonly #managers: ManagedEngineParts['managers'];
  readonly #log: Logger;
  readonly #looks: ManagerLooks;

  constructor({ inner, managers, log }: ManagedEngineParts) {
    this.#inner = inner;
    this.#managers = managers;
    this.#log = log;
    this.#looks = new ManagerLooks((work, manager) => this.#lookBy(work, manager), log);
  }

  check(request: WorkRequest, options: CheckOptions): Promise<Checked> {
    return this.#inner.check(request, options);
  }

  async start(request: WorkRequest, options: StartOptions): Promise<Started | undefined> {
    await this.#managers.settle();
    this.#looks.forget(request.name);
    const { mayExist, cancelled } = options;
    // The image of the manager that has made it may be gone by now.
    if (request.manager !== undefined && mayExist && (await this.#isUnlabelled(request.name)))
      return { handle: handleOf(request.manager, request), printed: '' };
    const manager = await this.#managerFor(request);
    if (manager === undefined) return this.#inner.start(request, options);
    const made = (printed = ''): Started => ({ handle: handleOf(manager, request), printed });
    if ((mayExist || cancelled.aborted) && (await this.#isMade(request, mayExist))) return made();
    if (cancelled.aborted) return undefined;
    try {
      const possible = await this.#inner.possible(request);
      return made(await this.#managers.schedule(manager, possible, cancelled));
    } catch (error) {
      if (!(error instanceof PmanError) || error.code === 'unavailable') throw error;
      if (cancelled.aborted) {
        await sleep(LAST_CALL_MS);
        return (await this.#isMade(request, true)) ? made() : undefined;
      }
      if (error instanceof StrandedManagerError) {
        this.#log.warn(
          'the manager container does not reach the engine: the built-in manager does it',
          { reason: error.message },
        );
        return this.#inner.start(request, options);
      }
      if (error.code === 'conflict' && (await this.#isMade(request, mayExist))) return made();
      throw error;
    }
  }

  async look(
    works: readonly Work[],
    { closely = false }: LookOptions = {},
  ): Promise<ReadonlyMap<string, Look>> {
    if (!closely) return this.#looks.quickly(works, await this.#inner.look(works));
    const [asked, others] = [
      works.filter(({ handle }) => tellerOf(handle) !== undefined),
      works.filter(({ handle }) => tellerOf(handle) === undefined),
    ];
    const [told, seen] = await Promise.all([this.#looks.closely(asked), this.#inner.look(others)]);
    return new Map([...seen, ...told]);
  }

  end(work: Work, order: EndOrder): Promise<boolean> {
    return this.#inner.end(work, order);
  }

  async remove(work: Work, job?: string): Promise<void> {
    const { name, handle } = work;
    const manager = managerOf(handle);
    const byUs = () => this.#inner.remove(work, job);
    if (manager === undefined) await byUs();
    else if (job === undefined || isOfJob(await this.#inner.owner(name), work, job))
      await this.#orByUs(() => this.#managers.remove(manager, name), byUs);
    this.#looks.forget(name);
  }

  logs(workers: readonly Worker[], limitBytes: number): Promise<string> {
    return this.#inner.logs(workers, limitBytes);
  }

  follow(worker: Worker, options: FollowOptions): Promise<void> {
    return this.#inner.follow(worker, options);
  }

  async changes(onChange: (name: string) => void, options: ChangesOptions): Promise<void> {
    this.#managers.settle().catch((error: unknown) => {
      this.#log.debug('no clean-up yet', { reason: messageOf(error) });
    });
    this.#looks.onAnswer = onChange;
    try {
      await this.#inner.changes(onChange, options);
    } finally {
      if (this.#looks.onAnswer === onChange) this.#looks.onAnswer = undefined;
    }
  }

  owner(name: string): Promise<NameOwner | undefined> {
    return this.#inner.owner(name);
  }

  /** Which manager does it: that of the request when its image is there and can do what is asked. */
  async #managerFor({ manager, options }: WorkRequest): Promise<ManagerImage | undefined> {
    if (manager === undefined) return undefined;
    const imageLabels = await this.#managers.labels(manager.image);
    if (imageLabels === undefined) return undefined;
    const { env, mounts, user, labels, cwd } = options;
    if (cwd !== undefined) return undefined; // no manager knows of that
    const isPlain = [env, mounts, user, labels].every((option) => option === undefined);
    return isPlain || OWN_MANAGER_LABEL in imageLabels ? manager : undefined;
  }

  /**
   * Whether the service of this request is there. The original's manager sets no labels: one without is ours when an earlier
   * call may have made it.
   */
  async #isMade({ name, owner }: WorkRequest, mayExist: boolean): Promise<boolean> {
    const found = await this.#inner.owner(name);
    if (found === undefined) return false;
    return found.job === owner.job || (found.job === undefined && mayExist);
  }

  /** Whether there is a service that does not say whose it is: the original's manager has made it. */
  async #isUnlabelled(name: string): Promise<boolean> {
    const found = await this.#inner.owner(name);
    return found !== undefined && found.job === undefined;
  }

  async #lookBy(work: Work, manager: ManagerImage): Promise<Look | undefined> {
    return this.#orByUs(
      async () => {
        const task = await this.#managers.task(manager, work.name);
        return task && this.#inner.lookOf([task]);
      },
      async () => (await this.#inner.look([work])).get(work.name),
    );
  }

  /** The manager image may have been removed since the service was made, or its program may not do what it is asked. */
  async #orByUs<T>(byImage: () => Promise<T>, byUs: () => Promise<T>): Promise<T> {
    try {
      return await byImage();
    } catch (error) {
      if (!(error instanceof PmanError) || error.code === 'unavailable') throw error;
      this.#log.debug('the built-in manager does it', { reason: error.message });
      return byUs();
    }
  }
}
