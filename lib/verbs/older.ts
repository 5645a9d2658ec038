import type { Job } from '../client/index.ts';
import { flagValue, type Words } from './flagWords.ts';
import { requireSpan } from './spans.ts';

/**
 * Which jobs `--older TIME` means: those that ended so long ago; without it all.
 * @throws UsageError when TIME is no span
 */
export function isOldEnough(words: Words): (job: Pick<Job, 'endedAt' | 'acceptedAt'>) => boolean {
  const older = flagValue(words, 'older');
  if (older === undefined) return () => true;
  const before = Date.now() - requireSpan(older, '--older');
  return ({ endedAt, acceptedAt }) => Date.parse(endedAt ?? acceptedAt) < before;
}
