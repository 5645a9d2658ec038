import type { JobLimits } from '../../../crunner/job/jobLimits.ts';
import type { Soon } from '../../concurrency/soon.ts';
import { BadRequestError, PmanError } from '../../errors.ts';

/** More sub-jobs than this are run as one: a record repeats all earlier entries in each epoch. */
const MAX_SUB_JOBS = 64;

/**
 * The sub-jobs of a command line. What splits it is loaded for lines that need it: most do not.
 * @throws PmanError payload_too_large for a line of more commands than can be told apart here
 */
export function partsOf(cmd: string): Soon<readonly string[]> {
  return cmd.includes(';') ? split(cmd) : [cmd];
}

async function split(cmd: string): Promise<readonly string[]> {
  const { splitAside } = await import('../../../crunner/command/splitAside.ts');
  try {
    return await splitAside({ line: cmd, maxParts: MAX_SUB_JOBS });
  } catch (cause) {
    throw new PmanError('payload_too_large', 'run: "meta.cmd" has too many commands to be split', {
      hint: 'put them into a file that the job runs, or send "shell": true',
      cause,
    });
  }
}

/** @throws BadRequestError for limits that ssh cannot carry to another host, however short the command */
export async function checkForSsh(limits: JobLimits): Promise<void> {
  const { isCarried } = await import('../../../crunner/ssh/sshCommand.ts');
  if (isCarried('x'.repeat(1000), limits)) return;
  throw new BadRequestError('run: "meta.env" and "meta.cwd" are too long for ssh together', {
    hint: 'some 100 KB can be carried',
  });
}
