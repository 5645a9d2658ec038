import { randomUUID } from 'node:crypto';
import { compactStamp } from '../host/stamps.ts';

/** `<YYYYMMDDhhmmss.ffffff>_<uuid4>`, local time of registration (protocol b). */
const JOB_ROOT = /^\d{14}\.\d{1,6}_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a name is that of a job root, as pman and the original make them. */
export function isJobRoot(name: string): boolean {
  return JOB_ROOT.test(name);
}

/** In whole microseconds: a fraction of a millisecond is no exact number. */
let lastRootAt = 0;

/**
 * A new name for a job root: `<compact stamp>_<uuid4>`. Names of one process sort in the order in which they
 * were made: two in one microsecond get stamps one apart.
 */
export function newJobRoot(epochMs: number): string {
  lastRootAt = Math.max(Math.round(epochMs * 1000), lastRootAt + 1);
  return `${compactStamp(lastRootAt / 1000)}_${randomUUID()}`;
}
