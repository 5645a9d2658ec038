import { PurlFailure } from '../failure.ts';

/** How many of those that are lacking an error names. */
const MOST_NAMED = 3;

export const CLASH = 'it has changed on both sides meanwhile, and the one here stays';

/**
 * `lacking`: names, and why.
 * @throws PurlFailure when something that is wanted has not come: nobody may take the rest for the whole
 */
export function checkWhole(lacking: readonly (readonly [string, string])[]): void {
  if (lacking.length === 0) return;
  const named = lacking.slice(0, MOST_NAMED).map(([name, why]) => `${name}: ${why}`);
  const more = lacking.length > MOST_NAMED ? `; and ${lacking.length - MOST_NAMED} more` : '';
  throw new PurlFailure('transfer', `all but this has arrived: ${named.join('; ')}${more}`);
}
