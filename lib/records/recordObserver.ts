import type { JobSummary } from './index/jobSummary.ts';

/** Is told what becomes of records. */
export interface RecordObserver {
  /** A record is new, or something in it is. */
  changed(root: string): void;
  /** The record of a job that has ended is on the disk. What keeps the job from being lost until then is removed next. */
  filed(root: string): void;
  /** A record is about to be removed: what it says can be read for the last time. */
  removing(root: string): void;
  /** A record is gone. */
  removed(root: string, summary: JobSummary): void;
}
