import type { Job } from '../client/index.ts';
import type { Words } from './flagWords.ts';
import { titleOf } from './follow.ts';
import { shortId } from './jobText.ts';
import type { Session } from './session.ts';

export interface DryRun {
  /** What would become of a job, in words behind its name. */
  readonly would: (job: Job) => string;
  /** What is told of a job beside its id with `--json`. */
  readonly members?: (job: Job) => object;
}

/**
 * Says to which jobs something would be done, in the form that is asked for: whoever reads JSON gets that, with a member that
 * tells that nothing was done.
 * @returns the exit code
 */
export function tellDryRun(
  { streams: { out } }: Pick<Session, 'streams'>,
  { switches }: Pick<Words, 'switches'>,
  jobs: readonly Job[],
  { would, members = () => ({}) }: DryRun,
): number {
  if (switches.has('json')) {
    const told = jobs.map((job) => ({ id: job.id, ...members(job) }));
    out.line(JSON.stringify({ dryRun: true, jobs: told }));
    return 0;
  }
  for (const job of jobs) {
    out.line(switches.has('quiet') ? shortId(job.id) : `${titleOf(job)} ${would(job)}`);
  }
  return 0;
}
