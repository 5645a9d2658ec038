import { type Job, PmanClientError } from '../client/index.ts';
import { endedText } from './follow.ts';
import { shortId } from './jobText.ts';
import type { Session } from './session.ts';

/** How long a server may take to say how a job stands when somebody wants to go. */
const LEAVE_MS = 2000;

/** How a job stands, for somebody who wants to go: undefined when no server says so by then. */
export async function standsNow({ client }: Session, job: Job): Promise<Job | undefined> {
  try {
    return await client.job(job, { signal: AbortSignal.timeout(LEAVE_MS) });
  } catch (error) {
    // Removed, or not to be looked at: nothing else is known.
    if (error instanceof PmanClientError && error.code !== 'unreachable') return job;
    return undefined;
  }
}

/** Says of jobs that were followed how they stand, how to come back to them, and how to end them. */
export async function tellLeft(session: Session, jobs: readonly Job[]): Promise<void> {
  const { err } = session.streams;
  const left = jobs.filter(({ endedAt }) => endedAt === null);
  const known = await Promise.all(left.map((job) => standsNow(session, job)));
  for (const [at, now] of known.entries()) {
    const job = left[at];
    if (job === undefined) continue;
    if (now === undefined) tellUnknown(session, job);
    else if (now.endedAt === null) tellDetached(session, job);
    else err.line(endedText(session, now));
  }
}

function tellDetached({ streams, speech }: Session, job: Job): void {
  const { err, signs } = streams;
  const id = shortId(job.id);
  const next = [`pman logs -f ${id}`, `pman kill ${id}`].map((line) => ` ${signs.dot} ${line}`);
  err.line(`detached: ${id} still runs${speech.dim(next.join(''))}`);
}

function tellUnknown({ streams, speech, place }: Session, job: Job): void {
  const { err, signs } = streams;
  const id = shortId(job.id);
  const next = speech.dim(` ${signs.dot} pman logs -f ${id}`);
  err.line(`detached: ${place.url} does not answer: whether ${id} runs is not known${next}`);
}
