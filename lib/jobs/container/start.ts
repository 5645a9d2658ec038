import { existsSync, lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Engine, Started, WorkRequest } from './engine.ts';

/** pman 2.2.4 looks 19 times for the shared folder, every 2 s, and goes on either way (protocol g). */
const FOLDER_LOOKS = 19;
const FOLDER_LOOK_MS = 2000;

/** Resolves when the folder is there, or is not waited for any longer; tells which. */
export async function waitForFolder(folder: string, isOver: () => boolean): Promise<boolean> {
  for (let look = 1; look < FOLDER_LOOKS && !existsSync(folder) && !isOver(); look += 1) {
    await sleep(FOLDER_LOOK_MS, undefined, { ref: false });
  }
  return existsSync(folder);
}

/** Whether a folder that an engine would look for by its name is a link: the engine would follow it to anywhere. */
export function isLink(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

export interface StartOptions {
  readonly engine: () => Promise<Engine>;
  readonly request: WorkRequest;
  /** Whether an earlier try may have made it. */
  readonly mayExist: boolean;
  /** Whether there is nothing to be started any more: the job has ended, or this server does. */
  readonly isOver: () => boolean;
  /** Whether this server has ended. */
  readonly isLeft?: (() => boolean) | undefined;
  /** The job is to be ended: nothing is made any more. */
  readonly cancelled: AbortSignal;
  /** What the workers are to read. @throws PmanError when it is not there */
  readonly input: () => Buffer | undefined;
  /** The engine cannot do it just now; told at each try, with the reason. */
  readonly onWait: (reason: string) => void;
  readonly log: Logger;
}

const RETRY_MS = [250, 500, 1000, 2000, 5000] as const;
/** How often something old of the same name is removed before the name counts as taken. */
const NAME_TRIES = 20;
/** How long the engine may still be busy with a start that was cancelled, in milliseconds. */
const SETTLE_MS = 500;

/**
 * Has the engine make a job's work. While the engine is away it is tried again and again: the job has been accepted. Something
 * of the same name whose job has ended is removed.
 * @returns undefined when there is nothing and will be nothing: the job was cancelled, or is over
 * @throws PmanError when the engine refuses it; conflict when another live job has the name
 */
export async function startWork(options: StartOptions): Promise<Started | undefined> {
  const { request, isOver, isLeft, cancelled, log } = options;
  let { mayExist } = options;
  let isTaken = false;
  let conflicts = 0;
  for (let tries = 0; !isOver(); tries += 1) {
    const wasCancelled = cancelled.aborted;
    try {
      const engine = await options.engine();
      if (isTaken && !wasCancelled) {
        await freeName(engine, request);
        isTaken = false;
        mayExist = false;
      }
      return await engine.start(request, { mayExist, cancelled, isLeft, input: options.input() });
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      if (error.code === 'unavailable') {
        mayExist ||= !isTaken; // the call may have come through
        if (tries === 0)
          log.warn('a container job waits for the engine', { reason: error.message });
        options.onWait(error.message);
        await sleep(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)], undefined, { ref: false });
      } else if (cancelled.aborted && !wasCancelled) {
        mayExist = true;
        await sleep(SETTLE_MS);
      } else if (error.code === 'conflict' && !isTaken && conflicts < NAME_TRIES) {
        isTaken = true;
        conflicts += 1;
        await sleep(RETRY_MS[0]);
      } else throw error;
    }
  }
  return undefined;
}

/**
 * Removes what has a name and has ended, or what an earlier try for the same job has left. What another pman made stays: that
 * one may be away, and still has to learn how its job has ended.
 * @throws PmanError conflict when the name is not free then
 */
export async function freeName(
  engine: Engine,
  { name, owner: { job, instance } }: WorkRequest,
): Promise<void> {
  const owner = await engine.owner(name);
  if (owner === undefined) return;
  const isOthers = owner.instance !== undefined && owner.instance !== instance;
  if (owner.job !== job && (isOthers || (await owner.isLive()))) throw nameTaken(name, owner.job);
  await engine.remove({ name, handle: undefined });
}

/** @param job the root of the job that has the name, where it is known */
export function nameTaken(name: string, job: string | undefined): PmanError {
  const whose = job === undefined ? '' : `, of the job ${job},`;
  return new PmanError('conflict', `the service "${name}"${whose} is not over`, {
    hint: 'name another one in meta.container.manager.env.serviceName, or end that job first',
  });
}
