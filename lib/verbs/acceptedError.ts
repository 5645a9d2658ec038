import { type Job, PmanClientError } from '../client/index.ts';
import { clientHint } from './clientHint.ts';
import { CannotError } from './failures.ts';
import { titleOf } from './follow.ts';
import { shortId } from './jobText.ts';
import { PMAN_FAILED } from './verbExit.ts';

/** A job was accepted, and what was wanted of it then does not come. */
class AcceptedError extends CannotError {
  override readonly code: string;

  constructor(code: string, message: string, lines: readonly string[]) {
    super(message, lines, PMAN_FAILED);
    this.code = code;
  }
}

/**
 * What goes wrong when a job is followed that was just accepted: its id is told nowhere else, and it runs.
 * @param lines what else is to be told
 */
export function acceptedError(error: unknown, job: Job, lines: readonly string[]): unknown {
  if (!(error instanceof PmanClientError)) return error;
  const id = shortId(job.id);
  const hint = clientHint(error);
  const isForbidden = error.code === 'forbidden';
  return new AcceptedError(
    error.code,
    `${titleOf(job)} was accepted and cannot be followed: ${error.message}`,
    [
      ...(isForbidden
        ? [`its id is ${job.id}; with a token of scope "read": pman logs -f ${id}`]
        : [...(hint === undefined ? [] : [hint]), `pman logs -f ${id}`]),
      ...lines,
    ],
  );
}
