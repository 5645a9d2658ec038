import type { Job } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { flagValue, type Words } from './flagWords.ts';
import { requireSpan } from './spans.ts';

/**
 * Which jobs `--older TIME` means: those that ended so long ago; without it all.
 * @throws UsageError when TIME is no span, or has no unit
 */
export function isOldEnough(words: Words): (job: Pick<Job, 'endedAt' | 'acceptedAt'>) => boolean {
  const older = flagValue(words, 'older');
  if (older === undefined) return () => true;
  // Whoever leaves out the unit has days in mind, and would lose what ended seconds ago.
  if (/^0*[1-9.][\d.]*$/.test(older)) {
    throw new UsageError(`--older ${JSON.stringify(older)} lacks a unit: ${older}d, ${older}h`);
  }
  const before = Date.now() - requireSpan(older, '--older');
  return ({ endedAt, acceptedAt }) => Date.parse(endedAt ?? acceptedAt) < before;
}
