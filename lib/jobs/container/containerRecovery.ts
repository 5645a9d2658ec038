import { preciseNow } from '../../host/clock.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import type { ActiveJobs } from './activeJobs.ts';
import { newContainerRecord } from './containerRecord.ts';
import type { Endings } from './endings.ts';
import type { ContainerJob } from './job.ts';
import type { ContainerOutputLimits } from './outputLimits.ts';
import type { RecordedJobs } from './recordedJobs.ts';
import type { Starter } from './starter.ts';
import { type ContainerJobStore, storedFromRecord } from './store.ts';
import type { StoredJobs } from './storedJobs.ts';
import type { ContainerTimeLimits } from './timeLimits.ts';
import type { ContainerWatch } from './watch.ts';

interface RecoveryParts {
  readonly database: JobDatabase;
  readonly store: ContainerJobStore;
  readonly stored: StoredJobs;
  readonly active: ActiveJobs;
  readonly recorded: RecordedJobs;
  readonly starter: Starter;
  readonly watch: ContainerWatch;
  readonly timeLimits: ContainerTimeLimits;
  readonly outputLimits: ContainerOutputLimits;
  readonly endings: Endings;
  readonly log: Logger;
}

/** Takes up the jobs that an earlier server has left. */
export class ContainerRecovery {
  readonly #parts: RecoveryParts;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** Goes on with the jobs that an earlier server has left. Does not wait for the engine. */
  recover(): void {
    const { database, store, stored: storedJobs } = this.#parts;
    const jobs = store.read();
    for (const [root, stored] of jobs) {
      if (!database.has(root)) database.add(root, newContainerRecord(stored.job));
      database.hold(root);
      this.#takeUp(storedJobs.activate(root, stored));
    }
    this.#tookUp(jobs.size + this.#adopt());
  }

  /** Goes on with jobs of records that were not known when `recover` looked for them. */
  recoverMore(): void {
    this.#tookUp(this.#adopt());
  }

  /** A job that an earlier server has left. */
  #takeUp(job: ContainerJob): void {
    const { database, starter, recorded, endings, watch, timeLimits, outputLimits } = this.#parts;
    const record = database.tree(job.root);
    const hasStarted = job.started !== undefined;
    if (hasStarted && record?.cat(['endInfo']) === undefined) {
      starter.recordStarted(job, '', job.started?.since || preciseNow());
    }
    if (record !== undefined && recorded.isFinal(record)) endings.filed(job);
    else if (hasStarted) {
      watch.start();
      timeLimits.watch(job);
      outputLimits.watch(job);
    } else void starter.begin(job);
  }

  /** Records that have not ended and of which nothing else is known: the original wrote them, or our files were removed. */
  #adopt(): number {
    const { database, active, stored: storedJobs, watch } = this.#parts;
    let count = 0;
    for (const root of database.unfinished()) {
      const record = database.tree(root);
      if (record === undefined || active.has(root)) continue;
      const stored = storedFromRecord(root, record);
      if (stored === undefined) continue;
      database.hold(root);
      storedJobs.activate(root, stored);
      watch.start();
      count += 1;
    }
    return count;
  }

  #tookUp(count: number): void {
    if (count > 0) this.#parts.log.info('container jobs are taken up again', { jobs: count });
  }
}
