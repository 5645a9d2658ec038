import type { JobLimits } from '../../../crunner/job/jobLimits.ts';
import { BadRequestError } from '../../errors.ts';

/** More sub-jobs than this are run as one: a record repeats all earlier entries in each epoch. */
const MAX_SUB_JOBS = 64;

/** The sub-jobs of a command line. The parser is loaded for lines that need it: most do not. */
export async function partsOf(cmd: string): Promise<readonly string[]> {
  if (!cmd.includes(';')) return [cmd];
  const { splitIntoParts } = await import('../../../crunner/command/split.ts');
  const parts = splitIntoParts(cmd);
  return parts.length > MAX_SUB_JOBS ? [cmd] : parts;
}

/** @throws BadRequestError for limits that ssh cannot carry to another host, however short the command */
export async function checkForSsh(limits: JobLimits): Promise<void> {
  const { isCarried } = await import('../../../crunner/ssh/sshCommand.ts');
  if (isCarried('x'.repeat(1000), limits)) return;
  throw new BadRequestError('run: "meta.env" and "meta.cwd" are too long for ssh together', {
    hint: 'some 100 KB can be carried',
  });
}
