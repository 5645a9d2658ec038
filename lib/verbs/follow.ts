import type { Job } from '../client/index.ts';
import { tookText } from '../terminal/amounts.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { inStateColour, nameOf, shortId, signInColour, stateText, tookMs } from './jobText.ts';
import type { Session } from './session.ts';

/** `7f3a9c train-lr0.001`: how a line of speech begins. */
export const titleOf = (job: Job) => `${shortId(job.id)} ${oneLine(nameOf(job))}`;

/** `ok after 8m51s`, `failed 2 after 12 s`: how a job has ended. */
export function endText(job: Job): string {
  const took = tookMs(job, Date.now());
  return `${stateText(job)}${took === undefined ? '' : afterText(took)}`;
}

/** ` after 12 s`, ` after 8m51s`: behind how a job has ended. */
export const afterText = (ms: number) =>
  ` after ${ms < 60_000 ? `${Math.round(ms / 1000)} s` : tookText(ms)}`;

/** Why a job has ended so, where its exit code does not tell. */
export function whyText({ reason }: Pick<Job, 'reason'>): string | undefined {
  return reason === null || reason.code === 'exit_code' ? undefined : oneLine(reason.message);
}

/** How a job has ended and why, in its colour: `9d4e10 timeout after 1 s · it took too long`. */
export function endedText({ streams, speech }: Session, job: Job): string {
  const why = whyText(job);
  const end = inStateColour(speech, job.state, `${shortId(job.id)} ${endText(job)}`);
  return why === undefined ? end : `${end} ${streams.signs.dot} ${why}`;
}

/** The line that says how a followed job has ended, and what to do next. */
export function endLine(session: Session, job: Job): string {
  const { streams, speech } = session;
  const { signs } = streams;
  const id = shortId(job.id);
  const next = job.state === 'succeeded' ? [] : [`pman logs ${id}`, `pman rerun ${id}`];
  const rest = next.map((line) => speech.dim(` ${signs.dot} ${line}`)).join('');
  return `${signInColour(speech, signs, job.state)} ${endedText(session, job)}${rest}`;
}
