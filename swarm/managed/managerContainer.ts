import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { z } from 'zod';
import { PmanError } from '../../lib/errors.ts';
import {
  type ContainerManager,
  type ContainerOptions,
  type ContainerRequest,
  type ContainerState,
  type ManagerImage,
  OWN_MANAGER_LABEL,
  type ServiceFacts,
  StrandedManagerError,
} from '../../lib/jobs/container/engine.ts';
import { logText } from '../client/logText.ts';
import { splitCommandLine } from '../commandLine.ts';
import type { Task } from '../service/task.ts';
import { parseTasks } from '../service/task.ts';

export interface ManagerContainerParts {
  readonly docker: Docker;
  readonly manager: ManagerImage;
  /** Where the engine's host has the engine's socket: the manager container gets it. */
  readonly dockerSocket: string;
  /** Label of the manager containers, so that those of a server that was killed can be found. */
  readonly label: string;
  readonly ask: <T>(doing: string, call: () => Promise<T>) => Promise<T>;
  readonly facts: (service: string) => Promise<ServiceFacts | undefined>;
  /** Told of a container that could not be removed, since the engine is away. */
  readonly onLeft: (id: string) => void;
  readonly stateOf: (tasks: readonly Task[]) => Promise<ContainerState | undefined>;
}

/** How long a manager container may take to make a service, in milliseconds. */
const SCHEDULE_MS = 120_000;
/** How long for what can be done without it. */
const OTHERWISE_MS = 30_000;
const SOCKET_INSIDE = '/var/run/docker.sock';

/**
 * The original's way (protocol g): a container of the manager image for each call, `swarm.py` in it. It is removed when it
 * has ended.
 */
export class ManagerContainer implements ContainerManager {
  readonly #parts: ManagerContainerParts;

  constructor(parts: ManagerContainerParts) {
    this.#parts = parts;
  }

  async schedule(
    { service, image, cmd, shareDir, labels, options }: ContainerRequest,
    cancelled: AbortSignal,
  ) {
    const isOwn = OWN_MANAGER_LABEL in (await this.#imageLabels());
    const args = [
      ...['-s', service],
      ...(shareDir === undefined ? [] : ['-m', shareDir]),
      ...['-i', image, '-p', 'none'],
      ...(isOwn ? ownFlags(labels, options) : []),
      ...['-c', cmd],
    ];
    const { stdout } = await this.#run(`schedule service "${service}"`, args, {
      limitMs: SCHEDULE_MS,
      cancelled,
    });
    if ((await this.#parts.facts(service)) !== undefined) return stdout;
    const { image: by, app } = this.#parts.manager;
    throw new PmanError(
      'internal',
      `the manager made no service "${service}": "${app}" of ${by} ended well and printed ${shown(stdout)}`,
      { hint: 'meta.container.manager.app has to be a program such as swarm.py' },
    );
  }

  async state(service: string): Promise<ContainerState | undefined> {
    const doing = `read the state of service "${service}"`;
    let stdout: string;
    try {
      ({ stdout } = await this.#run(doing, ['--state', service]));
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'internal') throw error;
      if ((await this.#parts.facts(service)) === undefined) return undefined;
      throw error;
    }
    let task: unknown;
    try {
      task = JSON.parse(stdout);
    } catch (cause) {
      if ((await this.#parts.facts(service)) === undefined) return undefined;
      const message = `cannot ${doing}: the manager printed ${shown(stdout)}`;
      throw new PmanError('internal', message, { cause });
    }
    return this.#parts.stateOf(parseTasks([task]));
  }

  async remove(service: string): Promise<void> {
    if ((await this.#parts.facts(service)) === undefined) return;
    const doing = `remove service "${service}"`;
    await this.#run(doing, ['--remove', service]);
    if ((await this.#parts.facts(service)) === undefined) return;
    throw new PmanError('internal', `cannot ${doing}: the manager has left it`);
  }

  async #imageLabels(): Promise<Readonly<Record<string, string>>> {
    const { docker, manager, ask } = this.#parts;
    const found = await ask(`look at image ${manager.image}`, () =>
      docker.getImage(manager.image).inspect(),
    );
    return found.Config?.Labels ?? {};
  }

  /** Runs the manager to its end; an exit code other than 0 is an error with what it has printed. */
  async #run(
    doing: string,
    args: readonly string[],
    limits: RunLimits = { limitMs: OTHERWISE_MS },
  ): Promise<{ readonly stdout: string }> {
    const { docker, manager, dockerSocket, label, ask, onLeft } = this.#parts;
    const what = `${doing} by a container of ${manager.image}`;
    const container = await ask(what, () =>
      docker.createContainer({
        Image: manager.image,
        Cmd: [...splitCommandLine(manager.app), ...args],
        Labels: { [label]: 'manager' },
        HostConfig: { Binds: [`${dockerSocket}:${SOCKET_INSIDE}:rw`] },
      }),
    );
    try {
      await ask(what, () => container.start());
      const { StatusCode } = await ask(what, async () =>
        endSchema.parse(await unlessStopped(what, container.wait(), limits)),
      );
      const stdout = await ask(what, () => this.#output(container, 'stdout'));
      if (StatusCode === 0) return { stdout };
      const stderr = await ask(what, () => this.#output(container, 'stderr'));
      throw failure(what, StatusCode, (stderr || stdout).trim());
    } finally {
      await ask(what, () => container.remove({ force: true })).catch((error: unknown) => {
        if (!(error instanceof PmanError)) throw error;
        if (error.code === 'unavailable') onLeft(container.id); // else it is gone
      });
    }
  }

  async #output(container: Docker.Container, stream: 'stdout' | 'stderr'): Promise<string> {
    const bytes = (await container.logs({ follow: false, [stream]: true })) as unknown;
    if (Buffer.isBuffer(bytes)) return logText(bytes, false);
    // dockerode gives what looks like JSON parsed, and other streams as they are.
    if (typeof bytes === 'string') return logText(Buffer.from(bytes, 'latin1'), false);
    return logText(await buffer(bytes as NodeJS.ReadableStream), false);
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
  const late = AbortSignal.timeout(limitMs);
  const stop = cancelled === undefined ? late : AbortSignal.any([late, cancelled]);
  const stopped = new Promise<never>((_, reject) => {
    const fail = () => {
      const why = late.aborted ? `it did not end in ${limitMs / 1000} s` : 'it was cancelled';
      reject(new PmanError('internal', `cannot ${what}: ${why}`));
    };
    if (stop.aborted) fail();
    else stop.addEventListener('abort', fail, { once: true });
  });
  return Promise.race([work, stopped]);
}

function failure(what: string, exitCode: number, text: string): PmanError {
  const said = text.split('\n').at(-1)?.slice(0, 1000) ?? '';
  const message = `cannot ${what}: exit code ${exitCode}: ${said}`;
  if (/name conflicts|already exists|AlreadyExists/i.test(text)) {
    return new PmanError('conflict', message);
  }
  if (/no answer from|daemon running|Connection aborted|docker\.sock/i.test(text)) {
    return new StrandedManagerError(message);
  }
  return new PmanError('internal', message);
}

/** The flags of our own manager image for what the original's does not know. */
function ownFlags(
  labels: Readonly<Record<string, string>>,
  { env = {}, mounts = [], user, workers, limits = {}, labels: more = {} }: ContainerOptions,
): readonly string[] {
  const { cpus, memoryBytes, gpus } = limits;
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  return [
    ...pairs('--label', { ...more, ...labels }),
    ...pairs('--env', env),
    ...mounts.flatMap(({ source, target, readOnly }) => [
      '--bind',
      `${source}:${target}${readOnly ? ':ro' : ''}`,
    ]),
    ...(user === undefined ? [] : ['--user', user]),
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
    ...(cpus === undefined ? [] : ['--limit', `cpus=${cpus}`]),
    ...(memoryBytes === undefined ? [] : ['--limit', `memory=${memoryBytes}`]),
    ...(gpus === undefined ? [] : ['--limit', `gpus=${gpus}`]),
  ];
}
