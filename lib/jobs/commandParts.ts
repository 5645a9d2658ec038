import type { JobLimits } from '../../crunner/spool.ts';

/** More sub-jobs than this are run as one: a record repeats all earlier entries in each epoch. */
const MAX_SUB_JOBS = 64;

/** The sub-jobs of a command line. The parser is loaded for lines that need it: most do not. */
export async function partsOf(cmd: string): Promise<readonly string[]> {
  if (!cmd.includes(';')) return [cmd];
  const { splitCommandLine } = await import('../../crunner/split.ts');
  const parts = splitCommandLine(cmd);
  return parts.length > MAX_SUB_JOBS ? [cmd] : parts;
}

/** @throws PmanError bad_request for a sub-job that ssh cannot carry */
export async function checkForSsh(parts: readonly string[], limits: JobLimits): Promise<void> {
  const { limitedCommand } = await import('../../crunner/sshCommand.ts');
  for (const part of parts) limitedCommand(part, limits);
}
