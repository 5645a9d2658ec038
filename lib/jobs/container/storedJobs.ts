import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import { logAccepted } from '../jobLog.ts';
import type { ActiveJobs } from './activeJobs.ts';
import { newContainerRecord, WRITE_WAITING } from './containerRecord.ts';
import { ContainerJob } from './job.ts';
import type { ContainerJobStore, StoredJob } from './store.ts';

interface StoredJobsParts {
  readonly database: JobDatabase;
  readonly store: ContainerJobStore;
  readonly active: ActiveJobs;
  readonly log: Logger;
}

/** Makes active jobs of stored ones, and stores each of their states. */
export class StoredJobs {
  readonly #parts: StoredJobsParts;

  constructor(parts: StoredJobsParts) {
    this.#parts = parts;
  }

  /** Puts a new job on the disk: from now on it is accepted. Throws when the disk does not take it. */
  accept(root: string, stored: StoredJob, input: Buffer | undefined): void {
    const { database, store, log } = this.#parts;
    try {
      if (input !== undefined) store.writeInput(root, input);
      store.write(root, stored);
    } catch (error) {
      store.remove(root);
      throw error;
    }
    database.add(root, newContainerRecord(stored.job), WRITE_WAITING);
    logAccepted(log, root, stored.job);
    this.activate(root, stored);
  }

  /** From now on the job is one of those that have not ended. */
  activate(root: string, stored: StoredJob): ContainerJob {
    const { active, store, log } = this.#parts;
    const { job: recorded, request, limits, state } = stored;
    const job = new ContainerJob({ root, recorded, request, limits }, state, (changed) => {
      try {
        store.writeState(root, { ...stored, state: changed });
      } catch (error) {
        const reason = messageOf(error);
        log.error('a container job cannot be stored', { job: root, error: reason });
      }
    });
    active.add(job);
    return job;
  }
}
