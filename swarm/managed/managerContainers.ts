import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import { PmanError } from '../../lib/errors.ts';
import type { ManagerImage, WorkRequest } from '../../lib/jobs/container/engine.ts';
import { splitIntoWords } from '../../lib/jobs/container/words.ts';
import type { EngineClient } from '../client/engineClient.ts';
import { cappedLogs } from '../client/logs.ts';
import { type Labels, managerLabel, OWN_MANAGER_LABEL } from '../labels.ts';
import { parseTasks, type Task } from '../service/task.ts';
import { managerError, scheduleArgs } from './managerCommand.ts';

/** How long it is believed that an image is there, in milliseconds. */
const IMAGE_KNOWN_MS = 10_000;
/** How long a manager container may take to make a service, in milliseconds. */
const SCHEDULE_MS = 120_000;
/** How long for what can be done without it. */
const OTHERWISE_MS = 30_000;
/** When it is tried again to remove manager containers that were left, in milliseconds. */
const REMOVE_AGAIN_MS = 5000;
const SOCKET_INSIDE = '/var/run/docker.sock';

export interface ManagerContainersParts {
  readonly client: EngineClient;
  /** Where the engine's host has the engine's socket: the manager container gets it. */
  readonly dockerSocket: string;
  /** The pman whose containers these are. */
  readonly instance: string;
  /** Whether there is a service of this name. */
  readonly isThere: (name: string) => Promise<boolean>;
}

/**
 * The original's way (protocol g): a container of the manager image for each call, `swarm.py` in it. It is removed when it
 * has ended.
 */
export class ManagerContainers {
  readonly #parts: ManagerContainersParts;
  readonly #images = new Map<string, Labels>();
  /** Containers that could not be removed, since the engine is away. */
  readonly #left = new Set<string>();
  /** Undefined when there may be containers of an earlier server, and nobody is at it. */
  #cleaned: Promise<void> | undefined;

  constructor(parts: ManagerContainersParts) {
    this.#parts = parts;
  }

  /** Labels of an image; undefined when the engine does not have it. */
  async labels(image: string): Promise<Labels | undefined> {
    const known = this.#images.get(image);
    if (known !== undefined) return known;
    const { client } = this.#parts;
    const found = await client.askIfThere(`look for image ${image}`, () =>
      client.docker.getImage(image).inspect(),
    );
    if (found === undefined) return undefined;
    const labels: Labels = found.Config?.Labels ?? {};
    this.#images.set(image, labels);
    setTimeout(() => this.#images.delete(image), IMAGE_KNOWN_MS).unref();
    return labels;
  }

  /** Makes the service; gives what the manager has printed. With the signal a manager that is at it is stopped. */
  async schedule(
    manager: ManagerImage,
    request: WorkRequest,
    cancelled: AbortSignal,
  ): Promise<string> {
    const { name } = request;
    const isOwn = OWN_MANAGER_LABEL in ((await this.labels(manager.image)) ?? {});
    const doing = `schedule service "${name}"`;
    const limits = { limitMs: SCHEDULE_MS, cancelled };
    const stdout = await this.#run(manager, doing, scheduleArgs(request, isOwn), limits);
    if (await this.#parts.isThere(name)) return stdout;
    throw new PmanError(
      'internal',
      `the manager made no service "${name}": "${manager.app}" of ${manager.image} ended well and printed ${shown(stdout)}`,
      { hint: 'meta.container.manager.app has to be a program such as swarm.py' },
    );
  }

  /** The task that the manager tells of; undefined when there is no such service. */
  async task(manager: ManagerImage, name: string): Promise<Task | undefined> {
    const doing = `read the state of service "${name}"`;
    let stdout: string;
    try {
      stdout = await this.#run(manager, doing, ['--state', name]);
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'internal') throw error;
      if (!(await this.#parts.isThere(name))) return undefined;
      throw error;
    }
    let task: unknown;
    try {
      task = JSON.parse(stdout);
    } catch (cause) {
      if (!(await this.#parts.isThere(name))) return undefined;
      const message = `cannot ${doing}: the manager printed ${shown(stdout)}`;
      throw new PmanError('internal', message, { cause });
    }
    return parseTasks([task])[0];
  }

  /** Removes the service; no error when there is none. */
  async remove(manager: ManagerImage, name: string): Promise<void> {
    if (!(await this.#parts.isThere(name))) return;
    const doing = `remove service "${name}"`;
    await this.#run(manager, doing, ['--remove', name]);
    if (!(await this.#parts.isThere(name))) return;
    throw new PmanError('internal', `cannot ${doing}: the manager has left it`);
  }

  /** Resolves when none is left of an earlier server or a lost connection: it might still do what it was told. */
  async settle(): Promise<void> {
    this.#cleaned ??= this.#cleanUp().catch((error: unknown) => {
      // An engine that refuses the question (some proxies of its socket do) is no reason to refuse jobs.
      if (error instanceof PmanError && error.code !== 'unavailable') return;
      this.#cleaned = undefined;
      throw error;
    });
    await this.#cleaned;
    for (const id of this.#left) {
      await this.#removeContainer(id, 'remove a manager container');
      this.#left.delete(id);
    }
  }

  async #cleanUp(): Promise<void> {
    const { client, instance } = this.#parts;
    const doing = 'look for manager containers that were left';
    const label = [`${managerLabel(instance)}=manager`];
    const left = await client.ask(doing, () =>
      client.docker.listContainers({ all: true, filters: { label } }),
    );
    for (const { Id } of left) await this.#removeContainer(Id, doing);
  }

  async #removeContainer(id: string, doing: string): Promise<void> {
    const { client } = this.#parts;
    await client.askIfThere(doing, () => client.docker.getContainer(id).remove({ force: true }));
  }

  /** Runs the manager to its end, and gives what it has printed; an exit code other than 0 is an error. */
  async #run(
    { image, app }: ManagerImage,
    doing: string,
    args: readonly string[],
    limits: RunLimits = { limitMs: OTHERWISE_MS },
  ): Promise<string> {
    await this.settle(); // else the new one would be taken for one that was left
    const { client, dockerSocket, instance } = this.#parts;
    const what = `${doing} by a container of ${image}`;
    const container = await client.ask(what, () =>
      client.docker.createContainer({
        Image: image,
        Cmd: [...splitIntoWords(app), ...args],
        Labels: { [managerLabel(instance)]: 'manager' },
        HostConfig: { Binds: [`${dockerSocket}:${SOCKET_INSIDE}:rw`] },
      }),
    );
    try {
      await client.ask(what, () => container.start());
      const { StatusCode } = await client.ask(what, async () =>
        endSchema.parse(await unlessStopped(what, container.wait(), limits)),
      );
      const stdout = await this.#output(container, what, 'stdout');
      if (StatusCode === 0) return stdout;
      const stderr = await this.#output(container, what, 'stderr');
      throw managerError(what, StatusCode, (stderr || stdout).trim());
    } finally {
      await client
        .ask(what, () => container.remove({ force: true }))
        .catch((error: unknown) => {
          if (!(error instanceof PmanError)) throw error;
          if (error.code === 'unavailable') this.#leave(container.id); // else it is gone
        });
    }
  }

  #output({ id }: Docker.Container, what: string, stream: 'stdout' | 'stderr'): Promise<string> {
    const { client } = this.#parts;
    const options = { tty: false, limitBytes: Number.POSITIVE_INFINITY, stream };
    return client.ask(what, () => cappedLogs(client.docker, `/containers/${id}/logs`, options));
  }

  /** Whoever runs a manager next removes it first; else it is done in a while. */
  #leave(id: string): void {
    this.#left.add(id);
    const removeLater = async () => {
      await sleep(REMOVE_AGAIN_MS, undefined, { ref: false });
      if (this.#left.has(id)) await this.settle();
    };
    removeLater().catch(() => this.#leave(id));
  }
}

const shown = (text: string) => JSON.stringify(text.slice(0, 200));

const endSchema = z.looseObject({ StatusCode: z.number() });

interface RunLimits {
  readonly limitMs: number;
  readonly cancelled?: AbortSignal;
}

/** The result of the work, unless that is late or cancelled. */
async function unlessStopped<T>(
  what: string,
  work: Promise<T>,
  { limitMs, cancelled }: RunLimits,
): Promise<T> {
  // AbortSignal.timeout would be forgotten, with its time: AbortSignal.any holds its sources weakly.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limitMs);
  const stop = cancelled === undefined ? late.signal : AbortSignal.any([late.signal, cancelled]);
  const stopped = new Promise<never>((_, reject) => {
    const fail = () => {
      const why = late.signal.aborted
        ? `it did not end in ${limitMs / 1000} s`
        : 'it was cancelled';
      reject(new PmanError('internal', `cannot ${what}: ${why}`));
    };
    if (stop.aborted) fail();
    else stop.addEventListener('abort', fail, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    clearTimeout(timer);
  }
}
