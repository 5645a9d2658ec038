import { describe } from '@jest/globals';

/**
 * A describe for tests that need something this machine may lack. `missing` gives the reason it
 * cannot run, or undefined when it can; the reason shows in the title of the skipped suite.
 */
export function describeWithEngine(
  name: string,
  missing: () => string | undefined,
  body: () => void,
): void {
  const reason = missing();
  if (reason === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${reason})`, body);
}
