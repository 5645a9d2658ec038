import { type Job, PmanClientError } from '../client/index.ts';
import { acceptedError } from './acceptedError.ts';
import { endLine, titleOf, whyText } from './follow.ts';
import { onInterrupts, untilCtrlC } from './interrupts.ts';
import { inStateColour, signInColour, stateText } from './jobText.ts';
import { tellLeft } from './leaveJobs.ts';
import { jobLine, type PrintForm } from './printJobs.ts';
import type { Session } from './session.ts';
import { showOutput } from './showOutput.ts';
import { exitCodeOf } from './verbExit.ts';

/** How a job that was just sent is followed. */
export interface FollowRunOptions {
  /** Whether Ctrl-C, SIGTERM and SIGHUP go to the job. */
  readonly isTied: boolean;
  readonly form: PrintForm;
  /** What else is to be told of it when it cannot be followed. */
  readonly lines?: readonly string[];
}

/**
 * `pman run -f`: shows what the job writes, says how it has ended, and ends with its exit code. With `--json` both are
 * lines of JSON, as `pman logs -f --json` has them, the job last.
 */
export async function followRun(
  session: Session,
  job: Job,
  { isTied, form, lines = [] }: FollowRunOptions,
): Promise<number> {
  const { streams, speech, patient } = session;
  const { err, signs } = streams;
  const isQuiet = form.kind === 'quiet';
  if (err.isTerminal && !isQuiet) {
    const hint = isTied ? 'Ctrl-C ends it' : 'Ctrl-C leaves it running';
    const state = inStateColour(speech, job.state, stateText(job));
    err.line(
      `${signInColour(speech, signs, job.state)} ${speech.dim(titleOf(job))} ${speech.dim(signs.dot)} ${state} ${speech.dim(`${signs.dot} ${hint}`)}`,
    );
  }
  const follow = async (signal: AbortSignal) => {
    const isJson = form.kind === 'json';
    await showOutput(session, job, { follow: true, isJson, signal });
    const ended = await patient.wait(job, { signal });
    if (isJson) streams.out.line(jobLine(ended, form));
    else if (!isQuiet) tellEnd(session, ended);
    return exitCodeOf(ended);
  };
  const done = isTied
    ? whileTied(session, job, follow)
    : untilCtrlC(follow, () => tellLeft(session, [job]));
  return done.catch((error: unknown) => {
    throw acceptedError(error, job, lines);
  });
}

/** On a terminal how it has ended; elsewhere only what its output and its exit code do not tell. */
function tellEnd(session: Session, job: Job): void {
  const { err } = session.streams;
  const why = whyText(job);
  if (err.isTerminal) err.line(endLine(session, job));
  else if (why !== undefined) err.line(`pman: ${titleOf(job)}: ${stateText(job)}: ${why}`);
}

/**
 * What comes in goes to the job, and its end is waited for; the third time it is KILL. HUP is that of a terminal which is
 * closed: the job would go on without it.
 */
async function whileTied(
  { client, streams }: Session,
  job: Job,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal, count) => {
    const order = { signal: count > 2 ? 'KILL' : signal.slice(3) };
    client.kill(job, order).catch((error: unknown) => {
      // It has ended meanwhile.
      if (error instanceof PmanClientError && error.code === 'conflict') return;
      streams.err.line(`pman: the job could not be sent ${signal}: ${(error as Error).message}`);
    });
  });
  try {
    return await work(new AbortController().signal);
  } finally {
    stop();
  }
}
