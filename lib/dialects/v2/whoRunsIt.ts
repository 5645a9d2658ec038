import { BadRequestError } from '../../errors.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { JobChanges } from './newJobSchema.ts';

type Runners = Pick<Jobs, 'capabilities' | 'runsImagesHere'>;

/** Says what is to become of a job, and not how it runs: it is the same wherever that is. */
const FOR_ALL: readonly string[] = ['backend', 'notify'];

/**
 * Holds a job to what would run it: nothing that it says is ignored.
 * @param said the members that a client has sent
 * @param job where it runs: of a job that is sent again, also what the former one says of that
 * @throws BadRequestError for a member that has no meaning there, and when this server would have something else run it
 */
export function requireTaken(
  jobs: Runners,
  said: JobChanges,
  { image, ssh }: Pick<JobChanges, 'image' | 'ssh'> = said,
): void {
  const hint = 'GET /api/v2/capabilities tells what this server can do';
  const isHere = image === undefined || jobs.runsImagesHere;
  const runner = jobs.capabilities.find(({ name }) => (name === 'host') === isHere);
  const { backend } = said;
  const runs = runner?.name ?? 'nothing';
  if (backend !== undefined && backend !== runs) {
    const what = image === undefined ? 'a command without an image' : 'an image';
    const message = `the body: "backend": here ${runs} runs ${what}, and not ${backend}`;
    throw new BadRequestError(message, { hint });
  }
  // What is said of containers means nothing where the server runs their commands by themselves: its operator wants that.
  if (runner === undefined || (image !== undefined && isHere)) return;
  const isElsewhere = ssh !== undefined && isHere;
  // Without it the server sends no job elsewhere, and says so.
  const takes = isElsewhere ? (runner.takesOverSsh ?? runner.takes) : runner.takes;
  const other = Object.keys(said).find((name) => !FOR_ALL.includes(name) && !takes.includes(name));
  // Where the job may go is another question, and has an answer of its own.
  if (other === undefined || other === 'ssh') return;
  const where = isElsewhere
    ? 'jobs by ssh'
    : isHere
      ? 'jobs without an image'
      : `images on ${runs}`;
  throw new BadRequestError(`the body: ${JSON.stringify(other)}: is not for ${where}`, { hint });
}
