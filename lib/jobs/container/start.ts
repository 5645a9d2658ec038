import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import {
  type ContainerEngine,
  type ContainerRequest,
  type ManagerImage,
  StrandedManagerError,
} from './engine.ts';

/** The label of a service that names the job it belongs to. */
export const JOB_LABEL = 'org.fnndsc.pman.job';
/** The label that names the pman it belongs to. */
export const INSTANCE_LABEL = 'org.fnndsc.pman.instance';

/** pman 2.2.4 looks 19 times for the shared folder, every 2 s, and goes on either way (protocol g). */
const FOLDER_LOOKS = 19;
const FOLDER_LOOK_MS = 2000;

/** Resolves when the folder is there, or is not waited for any longer; tells which. */
export async function waitForFolder(
  folder: string | undefined,
  isOver: () => boolean,
): Promise<boolean> {
  if (folder === undefined) return true;
  for (let look = 1; look < FOLDER_LOOKS && !existsSync(folder) && !isOver(); look += 1) {
    await sleep(FOLDER_LOOK_MS, undefined, { ref: false });
  }
  return existsSync(folder);
}

export interface StartOptions {
  readonly engine: () => Promise<ContainerEngine>;
  readonly root: string;
  readonly request: ContainerRequest;
  readonly manager: ManagerImage | undefined;
  /** Whether an earlier try may have made the service. */
  readonly mayExist: boolean;
  /** Whether there is nothing to be started any more: the job has ended, or this server does. */
  readonly isOver: () => boolean;
  /** The job is to be ended: no service is made any more, and a manager that is at it is stopped. */
  readonly cancelled: AbortSignal;
  readonly log: Logger;
}

export interface Started {
  /** What the manager has printed. */
  readonly printed: string;
  /** Undefined when the built-in manager had to do it. */
  readonly manager: ManagerImage | undefined;
}

const RETRY_MS = [250, 500, 1000, 2000, 5000] as const;
/** How often an old service of the same name is removed before the name counts as taken. */
const NAME_TRIES = 20;
/** How long the engine may still be at what a manager that was stopped has asked of it, in milliseconds. */
const SETTLE_MS = 500;

/**
 * Makes the service of a job. While the engine is away it is tried again and again: the job has been accepted. A service of
 * the same name whose job has ended makes room.
 * @returns undefined when there is no service and will be none: the job was cancelled, or is over
 * @throws PmanError when the engine or the manager refuses it; conflict when another live job has the name
 */
export async function startService(options: StartOptions): Promise<Started | undefined> {
  const { root, request, isOver, cancelled, log } = options;
  const instance = request.labels[INSTANCE_LABEL];
  let { manager, mayExist } = options;
  let isTaken = false;
  let conflicts = 0;
  for (let tries = 0; !isOver(); tries += 1) {
    const isCancelled = cancelled.aborted;
    try {
      const engine = await options.engine();
      if ((mayExist || isTaken) && (await isOurs(engine, { ...options, manager, mayExist })))
        return { printed: '', manager };
      if (isCancelled) return undefined;
      if (isTaken) {
        await makeRoom(engine, request.service, { root, instance });
        isTaken = false;
        mayExist = false;
      }
      return { printed: await engine.manager(manager).schedule(request, cancelled), manager };
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      if (error.code === 'unavailable') {
        mayExist ||= !isTaken; // the call may have come through
        if (tries === 0)
          log.warn('a container job waits for the engine', { reason: error.message });
        await sleep(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)], undefined, { ref: false });
      } else if (cancelled.aborted && !isCancelled) {
        mayExist = true;
        await sleep(SETTLE_MS);
      } else if (error instanceof StrandedManagerError) {
        log.warn('the manager container does not reach the engine: the built-in manager does it', {
          reason: error.message,
        });
        manager = undefined;
      } else if (error.code === 'conflict' && !isTaken && conflicts < NAME_TRIES) {
        isTaken = true;
        conflicts += 1;
        await sleep(RETRY_MS[0]);
      } else throw error;
    }
  }
  return undefined;
}

/** Services of the original's manager image carry no labels: what a cut-off call has left is then told by its name. */
async function isOurs(
  engine: ContainerEngine,
  { root, request, manager, mayExist }: StartOptions,
): Promise<boolean> {
  const facts = await engine.facts(request.service);
  if (facts === undefined) return false;
  const owner = facts.labels[JOB_LABEL];
  if (owner === root && !facts.isWhole) {
    await engine.manager().remove(request.service);
    return false;
  }
  return owner === root || (owner === undefined && manager !== undefined && mayExist);
}

/**
 * Removes a service of which nothing runs any more, or that an earlier try for the same job has left. One of another pman is
 * left alone: that one may be away, and still has to learn how its job has ended.
 * @param root the job that wants the name; undefined when it is not accepted yet
 * @throws PmanError conflict when the name is not free then
 */
export async function makeRoom(
  engine: ContainerEngine,
  service: string,
  { root, instance }: { readonly root: string | undefined; readonly instance: string | undefined },
): Promise<void> {
  const facts = await engine.facts(service);
  if (facts === undefined) return;
  const owner = facts.labels[JOB_LABEL];
  const isOurs = root !== undefined && owner === root;
  const maker = facts.labels[INSTANCE_LABEL];
  const isOthers = maker !== undefined && maker !== instance;
  if (!isOurs && (isOthers || (await facts.isLive()))) throw nameTaken(service, owner);
  await engine.manager().remove(service);
}

export function nameTaken(service: string, owner: string | undefined): PmanError {
  const whose = owner === undefined ? '' : `, of the job ${owner},`;
  return new PmanError('conflict', `the service "${service}"${whose} is not over`, {
    hint: 'name another one in meta.container.manager.env.serviceName, or end that job first',
  });
}
