import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SpoolRequest, SpoolState } from '../../../crunner/detached/journal.ts';
import {
  closeSpool,
  createSpool,
  discardJournal,
  isOpenSpool,
  mendSpool,
  outputBytes,
  readSpool,
  type SpoolInput,
  stdinFile,
  writeLine,
} from '../../../crunner/detached/spool.ts';
import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { messageOf, PmanError, systemErrorCode } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { inOrder, isJobRoot } from '../../records/jobRoot.ts';

export interface HostSpoolOptions {
  /** The folder of the spool folders, one for each job root. */
  readonly spool: string;
  /** Whether to have the disk confirm what is acknowledged. */
  readonly fsync: boolean;
  readonly log: Logger;
}

/** The spool folders of this host's jobs, by job root. What a client is told about a job stands in its journal first. */
export class HostSpool {
  readonly #options: HostSpoolOptions;

  constructor(options: HostSpoolOptions) {
    this.#options = options;
  }

  folder(root: string): string {
    return join(this.#options.spool, root);
  }

  /** The jobs that have a folder, oldest first. */
  roots(): readonly string[] {
    return inOrder(readdirSync(this.#options.spool).filter(isJobRoot));
  }

  /**
   * Takes in a new job. When it returns, a crash does not lose the job.
   * @throws PmanError storage when the disk does not take it; nothing of the job is left then
   */
  accept(root: string, request: SpoolRequest, input?: SpoolInput): void {
    try {
      createSpool(this.folder(root), request, input);
    } catch (error) {
      this.forget(root);
      throw notAccepted(messageOf(error), error);
    }
  }

  /** What the journal says, or undefined for a job that was never accepted. A line that a crash has cut is ended first. */
  readMended(root: string): SpoolState | undefined {
    mendSpool(this.folder(root));
    return this.read(root);
  }

  /** What the journal says, or undefined when there is none. */
  read(root: string): SpoolState | undefined {
    return readSpool(this.folder(root));
  }

  /** Whether the record of the job may not be complete. */
  isOpen(root: string): boolean {
    return isOpenSpool(this.folder(root));
  }

  /**
   * Writes down that a job is not to run (any more): a later server keeps to that.
   * @throws PmanError storage when the disk does not take it
   */
  drop(root: string, reason: string): void {
    try {
      writeLine(this.folder(root), { dropped: reason }, this.#options.fsync);
    } catch (error) {
      throw new PmanError('storage', `cannot write down that ${root} is not to run`, {
        cause: error,
      });
    }
  }

  /** Writes down that a running job is to end. Does not throw: a full disk is a reason to end jobs, none to leave them. */
  orderEnd(root: string, order: KillRequest): void {
    try {
      writeLine(this.folder(root), { kill: order }, this.#options.fsync);
    } catch (error) {
      this.#warn('an order to end a job is not on the disk', root, error);
    }
  }

  /** What the outputs take on the disk; 0 where that cannot be found out. */
  outputBytes(root: string): number {
    try {
      return outputBytes(this.folder(root));
    } catch (error) {
      this.#warn('cannot measure the outputs of a job', root, error);
      return 0;
    }
  }

  /** The input that a job was given; undefined when it is not kept, or was none. */
  input(root: string): Buffer | undefined {
    try {
      return readFileSync(stdinFile(this.folder(root)));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The record of the job is complete elsewhere: only the outputs stay. */
  close(root: string): void {
    closeSpool(this.folder(root));
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
    try {
      rmSync(this.folder(root), { recursive: true, force: true });
    } catch (error) {
      this.#warn('cannot remove a spool folder', root, error);
    }
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
