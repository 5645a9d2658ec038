import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SpoolRequest, SpoolState } from '../../../crunner/detached/journal.ts';
import {
  closeSpool,
  createSpool,
  discardJournal,
  isOpenSpool,
  openSpool,
  outputBytes,
  partFiles,
  placeNow,
  readMendedSpool,
  readSpool,
  type SpoolInput,
  stdinFile,
  writeLine,
} from '../../../crunner/detached/spool.ts';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { messageOf, PmanError, systemErrorCode } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { inOrder, isJobRoot } from '../../records/jobRoot.ts';
import { type AcceptedJob, AcceptedJobs } from './acceptedJobs.ts';

export interface HostSpoolOptions {
  /** The folder of the spool folders, one for each job root. */
  readonly spool: string;
  /** Whether to have the disk confirm what is acknowledged. */
  readonly fsync: boolean;
  readonly log: Logger;
}

/** Where the jobs are written down that have no folder yet, beside the folder of the spool folders. */
export function acceptedFolder(spool: string): string {
  return join(dirname(spool), 'accepted');
}

/**
 * The spool folders of this host's jobs, by job root, and the jobs that have none yet. What a client is told about a job stands
 * there first.
 */
export class HostSpool {
  readonly #options: HostSpoolOptions;
  /** Those that their own journals do not tell of yet. */
  readonly #accepted: AcceptedJobs;
  /** Which of these have been given their folders. */
  readonly #opened = new Set<string>();

  constructor(options: HostSpoolOptions) {
    this.#options = options;
    const { spool, fsync, log } = options;
    this.#accepted = new AcceptedJobs({ folder: acceptedFolder(spool), fsync, log });
  }

  folder(root: string): string {
    return join(this.#options.spool, root);
  }

  /** The same as it lies now, when somebody has moved all of them: for what is read, and goes on. */
  #place(root: string): string {
    return placeNow(this.folder(root));
  }

  /** The jobs that earlier servers have left, oldest first, with the request of those that have no journal of their own. */
  left(): readonly (readonly [root: string, accepted?: AcceptedJob])[] {
    const accepted = this.#accepted.find();
    const roots = new Set([
      ...readdirSync(this.#options.spool).filter(isJobRoot),
      ...accepted.keys(),
    ]);
    return inOrder([...roots]).map((root) => {
      const job = accepted.get(root);
      return job === undefined ? [root] : [root, job];
    });
  }

  /**
   * Takes in a new job. When it returns, or what it returns resolves, a crash does not lose the job. One with an input gets
   * its folder at once, and so does one that starts at once: the folder is made anyway then.
   * @throws PmanError storage when the disk does not take it; nothing of the job is left then
   */
  accept(
    root: string,
    request: SpoolRequest,
    { input, startsNow }: { readonly input?: SpoolInput | undefined; readonly startsNow: boolean },
  ): Promise<void> | undefined {
    const refuse = (error: unknown) => notAccepted(messageOf(error), error);
    try {
      if (input === undefined && !startsNow) {
        return this.#accepted.add(root, request)?.catch((error: unknown) => {
          throw refuse(error);
        });
      }
      createSpool(this.folder(root), request, input);
      return undefined;
    } catch (error) {
      this.forget(root);
      throw refuse(error);
    }
  }

  /**
   * Sees to it that a job that starts has its folder.
   * @throws the file system's error
   */
  open(root: string, request: SpoolRequest): void {
    if (!this.isUnopened(root)) return;
    openSpool(this.folder(root), request);
    this.#opened.add(root);
  }

  /** The folder of a job that an earlier server has accepted is the one to go on with. */
  goOn(root: string): void {
    this.#opened.add(root);
  }

  /** Whether a job has no folder yet that it could run in. */
  isUnopened(root: string): boolean {
    return this.#accepted.has(root) && !this.#opened.has(root);
  }

  /** A job has begun, and its own journal or its record says so: nothing else need tell of it. */
  began(root: string): void {
    if (!this.#accepted.has(root)) return;
    this.#accepted.leaveQuietly(root);
    this.#opened.delete(root);
  }

  /** What the journal says, or undefined for a job that was never accepted. A line that a crash has cut is ended first. */
  readMended(root: string): SpoolState | undefined {
    return readMendedSpool(this.#place(root));
  }

  /** What the journal says, or undefined when there is none. */
  read(root: string): SpoolState | undefined {
    return readSpool(this.#place(root));
  }

  /** Whether the record of the job may not be complete. */
  isOpen(root: string): boolean {
    return this.#accepted.has(root) || this.hasJournal(root);
  }

  /** Whether the job has a journal of its own. */
  hasJournal(root: string): boolean {
    return isOpenSpool(this.folder(root));
  }

  /**
   * Writes down that a job is not to run (any more): a later server keeps to that.
   * @throws PmanError storage when the disk does not take it
   */
  drop(root: string, reason: string): void {
    try {
      if (this.isUnopened(root)) this.#accepted.drop(root, reason);
      else writeLine(this.#place(root), { dropped: reason }, this.#options.fsync);
    } catch (error) {
      throw new PmanError('storage', `cannot write down that ${root} is not to run`, {
        cause: error,
      });
    }
  }

  /** Writes down that a running job is to end. Does not throw: a full disk is a reason to end jobs, none to leave them. */
  orderEnd(root: string, order: KillRequest): void {
    try {
      writeLine(this.#place(root), { kill: order }, this.#options.fsync);
    } catch (error) {
      this.#warn('an order to end a job is not on the disk', root, error);
    }
  }

  /** What the outputs take on the disk; 0 where that cannot be found out. */
  outputBytes(root: string): number {
    try {
      return outputBytes(this.#place(root));
    } catch (error) {
      this.#warn('cannot measure the outputs of a job', root, error);
      return 0;
    }
  }

  /** The input that a job was given; undefined when it is not kept, or was none. */
  input(root: string): Buffer | undefined {
    try {
      return readFileSync(stdinFile(this.#place(root)));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The record of the job is complete elsewhere: only the outputs stay. */
  close(root: string): void {
    if (this.#accepted.has(root)) {
      this.#accepted.leave(root);
      this.#opened.delete(root);
    }
    closeSpool(this.folder(root));
  }

  /** Whether there is output of a job. */
  hasOutput(root: string): boolean {
    return existsSync(partFiles(this.#place(root), 0).out);
  }

  /** A journal that names no job: the outputs beside it stay, for the record that there may be. */
  discardJournal(root: string): void {
    this.#options.log.warn('a journal says nothing and was removed', { root });
    discardJournal(this.folder(root));
  }

  /**
   * Removes all there is of a job whose record is gone. Does not throw: what the disk refuses to part with now is removed
   * by the next start, which finds no record to it.
   */
  forget(root: string): void {
    this.began(root);
    this.removeFolder(root);
  }

  /** Removes the folder of a job. Does not throw, as `forget`. */
  removeFolder(root: string): void {
    try {
      rmSync(this.folder(root), { recursive: true, force: true });
    } catch (error) {
      this.#warn('cannot remove a spool folder', root, error);
    }
  }

  /** Lets go of what it holds open. */
  end(): void {
    this.#accepted.close();
  }

  #warn(message: string, root: string, error: unknown): void {
    this.#options.log.warn(message, { root, error: messageOf(error) });
  }
}

/** Of a job that the disk does not take. */
export function notAccepted(reason: string, cause?: unknown): PmanError {
  return new PmanError('storage', `the job was not accepted: ${reason}`, {
    hint: 'send it again when the disk can be written again',
    cause,
  });
}
