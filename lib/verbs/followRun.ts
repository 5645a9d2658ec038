import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, PmanClientError } from '../client/index.ts';
import { acceptedError } from './acceptedError.ts';
import { endLine, titleOf, whyText } from './follow.ts';
import { onInterrupts, untilCtrlC } from './interrupts.ts';
import { inStateColour, signInColour, stateText } from './jobText.ts';
import { tellLeft } from './leaveJobs.ts';
import { jobLine, type PrintForm } from './printJobs.ts';
import type { Session } from './session.ts';
import { showOutput } from './showOutput.ts';
import { exitCodeOf, INTERRUPTED } from './verbExit.ts';

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

/** How long a server may be away once the terminal is closed: a restart takes less. */
const HANGUP_PATIENCE_MS = 10_000;
const AGAIN_MS = 500;

/**
 * What comes in goes to the job, and its end is waited for; the third time it is KILL. HUP is that of a terminal which is
 * closed: the job would go on without it. Then nobody waits for a server that goes away. Nor need anybody who has pressed
 * Ctrl-C twice while none is there.
 */
async function whileTied(
  session: Session,
  job: Job,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { link, streams } = session;
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  const leaveSoon = async () => {
    await sleep(HANGUP_PATIENCE_MS, undefined, { ref: false });
    if (link.isLost()) leave();
  };
  const stop = onInterrupts(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal, count) => {
    const isClosed = signal === 'SIGHUP';
    const name = count > 2 ? 'KILL' : signal.slice(3);
    sendSignal(session, job, name, isClosed ? HANGUP_PATIENCE_MS : 0)
      .then(() => isClosed && link.onLost(leaveSoon))
      .catch((error: unknown) => {
        if ((isClosed || count > 1) && isUnreachable(error)) return leave();
        const why = `pman: the job could not be sent ${signal}: ${(error as Error).message}`;
        const next = isUnreachable(error) ? ` ${streams.signs.dot} once more leaves it` : '';
        streams.err.line(`${why}${next}`);
      });
  });
  try {
    return await work(leaving.signal);
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    await tellLeft(session, [job]);
    return INTERRUPTED;
  } finally {
    stop();
  }
}

/**
 * @param patienceMs how long a server may be away
 * @throws PmanClientError when the order did not get there
 */
async function sendSignal(
  { client }: Session,
  job: Job,
  signal: string,
  patienceMs: number,
): Promise<void> {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      await client.kill(job, { signal });
      return;
    } catch (error) {
      // It has ended meanwhile.
      if (error instanceof PmanClientError && error.code === 'conflict') return;
      if (!isUnreachable(error) || Date.now() >= until) throw error;
    }
    await sleep(AGAIN_MS);
  }
}

const isUnreachable = (error: unknown) =>
  error instanceof PmanClientError && error.code === 'unreachable';
