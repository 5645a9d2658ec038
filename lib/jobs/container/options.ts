import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import type { EngineName } from '../capabilities.ts';
import type { Summarize } from '../summary.ts';
import type { OpenEngine, ReadShown, ShareRule } from './engine.ts';

/** What container jobs need of a server. */
export interface ContainerJobsOptions {
  readonly database: JobDatabase;
  readonly summaryOf: Summarize;
  /** The folder of ours beside the database. */
  readonly workFolder: string;
  readonly fsync: boolean;
  readonly log: Logger;
  readonly shareRule: ShareRule;
  /** Only files of this user may be given to others from a shared folder; undefined: all that pman can read. */
  readonly fileOwner?: number | undefined;
  /** How much of the output of each worker a record holds, in bytes. */
  readonly logLimitBytes: number;
  /** How long the output of a job that has ended is waited for, in milliseconds; default: two minutes. */
  readonly lastWordsMs?: number;
  readonly openEngine: OpenEngine;
  readonly engineName: EngineName;
  readonly readShown: ReadShown;
}
