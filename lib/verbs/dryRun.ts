import type { Job } from '../client/index.ts';
import type { Words } from './flagWords.ts';
import { titleOf } from './follow.ts';
import { shortId } from './jobText.ts';
import type { Session } from './session.ts';
import { FAILED } from './verbExit.ts';
import type { Problem } from './verbProblem.ts';

export interface DryRun {
  /** What would become of a job, in words behind its name. */
  readonly would: (job: Job) => string;
  /** What is told of a job beside its id with `--json`. */
  readonly members?: (job: Job) => object;
  /** Why the server would refuse it for a job; undefined where it would not. Default: for none. */
  readonly refused?: (job: Job) => Refusal | undefined;
}

/** What is said of a job to which it cannot be done, and what can be done instead. */
export interface Refusal {
  readonly why: string;
  readonly hint?: string | undefined;
}

/**
 * Says to which jobs something would be done, in the form that is asked for: whoever reads JSON gets that, with a member that
 * tells that nothing was done.
 * @returns the exit code
 */
export function tellDryRun(
  session: Pick<Session, 'streams' | 'speech'>,
  words: Pick<Words, 'switches'>,
  jobs: readonly Job[],
  { would, members = () => ({}), refused = () => undefined }: DryRun,
): number {
  const { out } = session.streams;
  const { switches } = words;
  const able = jobs.filter((job) => refused(job) === undefined);
  if (switches.has('json')) {
    const told = able.map((job) => ({ id: job.id, ...members(job) }));
    out.line(JSON.stringify({ dryRun: true, jobs: told }));
  } else {
    for (const job of able) {
      out.line(switches.has('quiet') ? shortId(job.id) : `${titleOf(job)} ${would(job)}`);
    }
  }
  for (const job of jobs) {
    const refusal = refused(job);
    if (refusal !== undefined) {
      const { why, hint = null } = refusal;
      tellRefused(session, words, job, { code: 'conflict', detail: why, status: null, hint });
    }
  }
  return able.length === jobs.length ? 0 : FAILED;
}

/** Says why something is not done to a job, as an object for whoever reads JSON. */
export function tellRefused(
  { streams: { err }, speech }: Pick<Session, 'streams' | 'speech'>,
  { switches }: Pick<Words, 'switches'>,
  job: Job,
  problem: Problem,
): void {
  if (switches.has('json')) {
    err.line(JSON.stringify({ ...problem, id: job.id }));
    return;
  }
  err.line(`pman: ${titleOf(job)}: ${problem.detail}`);
  if (problem.hint !== null) err.line(speech.dim(`  ${problem.hint}`));
}
