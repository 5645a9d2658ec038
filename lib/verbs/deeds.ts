import { type Job, PmanClientError } from '../client/index.ts';
import { messageOf, UsageError } from '../errors.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { mayDo } from './ask.ts';
import { eachAtMost } from './atMost.ts';
import { type Refusal, tellDryRun, tellRefused } from './dryRun.ts';
import type { Flag, Words } from './flagWords.ts';
import { inStateColour, nameOf, shortId, signInColour, stateText } from './jobText.ts';
import { tellNext } from './nextCommands.ts';
import { statesOf } from './selectors.ts';
import type { Session } from './session.ts';
import { FAILED } from './verbExit.ts';
import { type Problem, problemOf } from './verbProblem.ts';

/** The flags of every verb that does something to jobs. */
export const DEED_FLAGS: readonly Flag[] = [
  { name: 'yes', short: 'y', help: 'does not ask' },
  { name: 'dry-run', help: 'says what it would do, and does nothing' },
];

/** Something that is done to jobs which there are. */
export interface Deed {
  /** `kill`, `remove`: it stands before `3 jobs`. */
  readonly name: string;
  /** `would be killed`: what a dry run says. */
  readonly would: string;
  /** Why the server would refuse it for a job, as far as its state tells. */
  readonly refused: (job: Job) => Refusal | undefined;
  /** @returns the job afterwards; undefined when it is gone */
  readonly act: (job: Job) => Promise<Job | undefined>;
  /**
   * Waits for what comes of it, once it was asked for of all: each with what `act` gave.
   * @returns by their ids, jobs that stand otherwise since; undefined for one that is gone
   */
  readonly settle?: (jobs: readonly Job[]) => Promise<ReadonlyMap<string, Job | undefined>>;
  /** What is said of a job afterwards, in words behind its name. */
  readonly said: (job: Job, after: Job | undefined) => string;
  /** What one may type then, with the jobs that it was done to. */
  readonly next?: (ids: readonly string[]) => readonly string[];
  readonly asks: boolean;
}

/** A job that it was done to, and how it stands afterwards. */
interface Acted {
  readonly job: Job;
  readonly after: Job | undefined;
}

/**
 * Does it to each job, after a question where that is due, and says of each what became of it.
 * @returns the exit code
 */
export async function doToJobs(
  session: Session,
  words: Words,
  jobs: readonly Job[],
  deed: Deed,
): Promise<number> {
  const { streams, style } = session;
  const { out } = streams;
  const has = (name: string) => words.switches.has(name);
  if (has('dry-run')) {
    return tellDryRun(session, words, jobs, { would: () => deed.would, refused: deed.refused });
  }
  const what = `${deed.name} ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`;
  if (deed.asks && jobs.length > 0 && !has('yes') && !(await mayDo(session, what, jobs)))
    return FAILED;
  const results = await eachAtMost(jobs, deed.act);
  const acted: Acted[] = [];
  for (const [i, result] of results.entries()) {
    const job = jobs[i];
    if (job === undefined) continue;
    if (result.status === 'rejected') {
      // The server refuses a flag, and so for each of them.
      if (result.reason instanceof UsageError) throw result.reason;
      tellRefused(session, words, job, problemWith(deed, job, result.reason));
      continue;
    }
    acted.push({ job, after: result.value });
  }
  const done = await settled(deed, acted);
  if (has('json')) {
    out.line(JSON.stringify({ jobs: done.map(({ job, after }) => after ?? { id: job.id }) }));
  } else {
    for (const { job, after } of done) {
      if (has('quiet')) out.line(shortId(job.id));
      else if (!out.isTerminal)
        out.line([shortId(job.id), oneLine(nameOf(job)), deed.said(job, after)].join('\t'));
      else {
        const { state } = after ?? job;
        const said = inStateColour(style, state, deed.said(job, after));
        out.line(
          `${signInColour(style, streams.signs, state)} ${style.bold(shortId(job.id))}  ${oneLine(nameOf(job))}  ${said}`,
        );
      }
    }
  }
  if (!has('json') && !has('quiet')) {
    tellNext(session, deed.next?.(done.map(({ job }) => shortId(job.id))) ?? []);
  }
  return done.length === jobs.length ? 0 : FAILED;
}

async function settled(deed: Deed, acted: readonly Acted[]): Promise<readonly Acted[]> {
  if (deed.settle === undefined || acted.length === 0) return acted;
  const stand = await deed.settle(acted.flatMap(({ after }) => after ?? []));
  return acted.map(({ job, after }) => ({
    job,
    after: stand.has(job.id) ? stand.get(job.id) : after,
  }));
}

function problemWith(deed: Deed, job: Job, error: unknown): Problem {
  if (!(error instanceof PmanClientError)) {
    return { code: 'internal', detail: messageOf(error), status: null, hint: null };
  }
  const problem = problemOf(error, deed.name);
  const hint = error.code === 'conflict' ? deed.refused(job)?.hint : undefined;
  return { ...problem, hint: hint ?? problem.hint };
}

/** Whether a word may name more jobs than whoever typed it has in mind. */
export const namesMany = (word: string) => statesOf(word) !== undefined || /[*?]/.test(word);

/** How a job stands, for `said`. */
export const standText = (job: Job) => stateText(job);
