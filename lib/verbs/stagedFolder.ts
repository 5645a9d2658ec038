import { type Job, type JobChanges, PmanClientError } from '../client/index.ts';
import type { Refusal } from './dryRun.ts';
import { CannotError } from './failures.ts';
import { titleOf } from './follow.ts';
import type { Session } from './session.ts';
import { isFilesFailure, withStore } from './storePlace.ts';

/** Where the folder of one job stands, below that of the file server: see stagedRun.ts. */
const STAGED = /\/(runs\/[0-9a-f]{12}\/[^/]+)$/;
const IN_MESSAGE = /\/runs\/[0-9a-f]{12}\//;

/** Why a job cannot run again, in words behind its name, and what can be done about it. */
export const FOLDER_GONE = {
  why: 'was sent with --push or --pull; its folder on the server was removed when it had ended and its results were here',
  hint: 'bring the folder again: pman run --push FOLDER --pull PATTERN -- COMMAND',
} as const satisfies Refusal;

/** Of these jobs, those whose folder came by `--push` or `--pull` and has been removed since. */
export async function jobsWithoutFolder(
  session: Session,
  jobs: readonly Job[],
  changes: JobChanges,
): Promise<ReadonlySet<Job>> {
  const gone = new Set<Job>();
  const staged = 'cwd' in changes ? [] : jobs.filter(({ cwd }) => STAGED.test(cwd ?? ''));
  if (staged.length === 0) return gone;
  try {
    await withStore(session, { json: false, quiet: true }, async ({ files, folder }) => {
      for (const job of staged) {
        const [, path = ''] = STAGED.exec(job.cwd ?? '') ?? [];
        if (job.cwd !== `${folder}/${path}`) continue;
        if (!(await files.has(path))) gone.add(job);
      }
    });
  } catch (error) {
    // Whoever may run jobs may not see files: the server tells when it is sent.
    const isUnknown = error instanceof PmanClientError || error instanceof CannotError;
    if (!isUnknown && !isFilesFailure(error)) throw error;
  }
  return gone;
}

/** The error of a job that cannot run again. */
export function goneError(job: Job): CannotError {
  return new CannotError(`${titleOf(job)} ${FOLDER_GONE.why}`, [FOLDER_GONE.hint]);
}

/** What the server says of a folder that is not there, in the words of whoever has sent the job with `--push`. */
export function ofStaged(error: unknown, job: Job): unknown {
  const isGone =
    error instanceof PmanClientError && error.status === 400 && IN_MESSAGE.test(error.message);
  return isGone ? goneError(job) : error;
}
