import type { Job } from '../client/index.ts';

/** What the server knows of every job by heart; for whole jobs it reads a record each. */
export const SHORT = [
  ...(['id', 'jid', 'auid', 'command', 'state', 'exitCode', 'place', 'reason'] as const),
  ...(['acceptedAt', 'startedAt', 'endedAt'] as const),
] as const;
export type Short = (typeof SHORT)[number];

/** A job of a list: what most columns show, and all of it where more was asked for. */
export type ShownJob = Pick<Job, Short> & Partial<Omit<Job, Short>>;
