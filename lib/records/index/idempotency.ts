import { PmanError } from '../../errors.ts';
import type { JobIndex } from './jobIndex.ts';
import type { JobSummary } from './jobSummary.ts';

/**
 * The job that a new one repeats: one that was sent before with the same idempotency key.
 * @throws PmanError conflict when that one was sent with something else
 */
export function sameJob(
  index: JobIndex,
  { key, digest }: Pick<JobSummary, 'key' | 'digest'>,
): string | undefined {
  const root = key === undefined ? undefined : index.withKey(key);
  if (root === undefined || index.look(root)?.digest === digest) return root;
  throw keyTaken(String(key), root);
}

/** @param job the job that was sent with the key, in words */
export function keyTaken(key: string, job: string): PmanError {
  return new PmanError(
    'conflict',
    `the key ${JSON.stringify(key)} stands for another job: ${job}`,
    { hint: 'repeat a request unchanged, or give a new job a new key' },
  );
}
