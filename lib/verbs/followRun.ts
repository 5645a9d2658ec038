import type { Job } from '../client/index.ts';
import { acceptedError } from './acceptedError.ts';
import { endLine, titleOf, whyText } from './follow.ts';
import { untilCtrlC } from './interrupts.ts';
import { inStateColour, shortId, signInColour, stateText } from './jobText.ts';
import { tellLeft } from './leaveJobs.ts';
import { jobLine, type PrintForm } from './printJobs.ts';
import type { Session } from './session.ts';
import { showOutput } from './showOutput.ts';
import { exitCodeOf } from './verbExit.ts';
import { whileTied } from './whileTied.ts';

/** How jobs that were just sent are followed. */
export interface FollowRunOptions {
  /** Whether Ctrl-C, SIGTERM and SIGHUP go to the jobs. */
  readonly isTied: boolean;
  readonly form: PrintForm;
  /** What else is to be told when they cannot be followed. */
  readonly lines?: readonly string[];
}

/**
 * `pman run -f` and `pman rerun -f`: shows what the jobs write, one after the other, says how each has ended, and ends
 * with the first exit code that is not 0. With `--json` both are lines of JSON, as `pman logs -f --json` has them, the
 * job last.
 */
export async function followRun(
  session: Session,
  jobs: readonly Job[],
  { isTied, form, lines = [] }: FollowRunOptions,
): Promise<number> {
  const codes: number[] = [];
  const left = () => jobs.slice(codes.length);
  const them = jobs.length > 1 ? 'them' : 'it';
  const hint = isTied ? `Ctrl-C ends ${them}` : `Ctrl-C leaves ${them} running`;
  const follow = async (signal: AbortSignal) => {
    for (const job of jobs) codes.push(await followOne(session, job, { form, hint, signal }));
    return codes.find((code) => code !== 0) ?? 0;
  };
  const done = isTied
    ? whileTied(session, left, follow)
    : untilCtrlC(follow, () => tellLeft(session, left()));
  return done.catch((error: unknown) => {
    const [job, ...others] = left();
    if (job === undefined) throw error;
    const ids = others.map(({ id }) => shortId(id)).join(' ');
    const more = others.length > 0 ? [`accepted, too: ${ids}`] : [];
    throw acceptedError(error, job, [...more, ...lines]);
  });
}

async function followOne(
  session: Session,
  job: Job,
  {
    form,
    hint,
    signal,
  }: { readonly form: PrintForm; readonly hint: string; readonly signal: AbortSignal },
): Promise<number> {
  const { streams, speech, patient } = session;
  const { err, signs } = streams;
  const isQuiet = form.kind === 'quiet';
  if (err.isTerminal && !isQuiet) {
    const state = inStateColour(speech, job.state, stateText(job));
    err.line(
      `${signInColour(speech, signs, job.state)} ${speech.dim(titleOf(job))} ${speech.dim(signs.dot)} ${state} ${speech.dim(`${signs.dot} ${hint}`)}`,
    );
  }
  const isJson = form.kind === 'json';
  await showOutput(session, job, { follow: true, isJson, signal });
  const ended = await patient.wait(job, { signal });
  if (isJson) streams.out.line(jobLine(ended, form));
  else if (!isQuiet) tellEnd(session, ended);
  return exitCodeOf(ended);
}

/** On a terminal how it has ended; elsewhere only what its output and its exit code do not tell. */
function tellEnd(session: Session, job: Job): void {
  const { err } = session.streams;
  const why = whyText(job);
  if (err.isTerminal) err.line(endLine(session, job));
  else if (why !== undefined) err.line(`pman: ${titleOf(job)}: ${stateText(job)}: ${why}`);
}
