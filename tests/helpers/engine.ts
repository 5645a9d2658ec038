import { describe, it } from '@jest/globals';

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

/** The same for one test. */
export function itWithEngine(
  name: string,
  missing: () => string | undefined,
  body: () => void | Promise<void>,
): void {
  const reason = missing();
  if (reason === undefined) it(name, body);
  else it.skip(`${name} (skipped: ${reason})`, body);
}

/** Why a test of what only Linux has cannot run here. */
export function notLinux(): string | undefined {
  return process.platform === 'linux' ? undefined : 'only Linux has that';
}

/** Why a test that needs root's rights cannot run here. */
export function notRoot(): string | undefined {
  return process.geteuid?.() === 0 ? undefined : 'only root may do that: run the tests as root';
}
