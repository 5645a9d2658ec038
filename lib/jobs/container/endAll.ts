import type { KillRequest } from '../../../crunner/job/killRequest.ts';
import { withinMs } from '../../concurrency/withinMs.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { noAnswer } from './noAnswer.ts';

/** How long, beyond the grace, the end of all jobs is waited for: SIGKILL and a removal may be needed. In milliseconds. */
const END_ALL_MS = 20_000;

interface EndAllParts {
  readonly jobs: readonly { readonly root: string }[];
  /** Resolves when the job has ended. */
  readonly ended: (root: string) => Promise<void>;
  readonly kill: (root: string) => Promise<boolean>;
  /** Resolves when the engine has nothing left of those that have ended. */
  readonly allRemoved: () => Promise<void>;
  readonly log: Logger;
}

/** Ends jobs, and waits until nothing is left of them, though not for ever. One whose engine is away goes on. */
export async function endAllJobs(
  { graceMs }: KillRequest,
  { jobs, ended, kill, allRemoved, log }: EndAllParts,
): Promise<void> {
  const all = jobs.map(async ({ root }) => {
    const over = ended(root);
    try {
      await kill(root);
      await over;
    } catch (error) {
      log.warn('a container job goes on', { job: root, reason: messageOf(error) });
    }
  });
  const done = Promise.all(all).then(allRemoved);
  const limitMs = graceMs + END_ALL_MS;
  await withinMs(limitMs, done, () => noAnswer(limitMs)).catch((error: unknown) => {
    log.warn('not all container jobs have ended', { reason: messageOf(error) });
  });
}
