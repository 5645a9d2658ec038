import { existsSync } from 'node:fs';
import { withinMs } from '../../concurrency/withinMs.ts';
import { PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JobReport } from '../backend.ts';
import type { ActiveJobs } from './activeJobs.ts';
import type { Engine } from './engine.ts';
import { noAnswer } from './noAnswer.ts';
import { readOutputs } from './outputs.ts';
import type { RecordedJobs } from './recordedJobs.ts';
import type { ContainerWatch } from './watch.ts';

interface ReportParts {
  readonly active: ActiveJobs;
  readonly recorded: RecordedJobs;
  readonly watch: ContainerWatch;
  readonly engine: () => Promise<Engine>;
  /** How much of the output of each worker is told, in bytes. */
  readonly logLimitBytes: number;
  readonly log: Logger;
}

/** How long a status request waits for the engine, in milliseconds. */
const STATUS_MS = 10_000;

/** Tells how container jobs stand. */
export class ContainerJobReports {
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** Asks the engine unless the record has the job's end. */
  async of(root: string, record: TreeNode): Promise<JobReport> {
    const { active, recorded, watch, logLimitBytes, log } = this.#parts;
    const job = active.get(root);
    if (job === undefined) return recorded.reportOf(record);
    const { state } = job;
    if (state.kind === 'awaitingFolder' && !existsSync(state.folder)) {
      const note = `it waits for the folder ${state.folder}, which is not there`;
      return recorded.reportOf(record, { note });
    }
    if (job.started === undefined) return recorded.reportOf(record);
    try {
      await withinMs(STATUS_MS, watch.look(job), () => noAnswer(STATUS_MS));
      if (!active.has(root) || job.seen === undefined) return recorded.reportOf(record);
      const engine = await this.#parts.engine();
      const { workers, shown } = job.seen;
      const read = readOutputs(engine, workers, logLimitBytes);
      const known = await withinMs(STATUS_MS, read, () => noAnswer(STATUS_MS));
      return recorded.reportOf(record, { ...known, shown });
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      log.warn('a status is answered from what is known', { reason: error.message });
      const note = `this is what was known last: ${error.message}`;
      return recorded.reportOf(record, { note });
    }
  }
}
