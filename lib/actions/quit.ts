import { z } from 'zod';
import { defineAction } from './action.ts';

const schema = z.looseObject({
  /** What becomes of the jobs that run; default: what --jobsAtExit says. */
  jobs: z.enum(['leave', 'end'], 'is neither "leave" nor "end"').optional(),
});

/**
 * `quit`: ends the server once the reply is out. The database is always saved, so that `saveDB` makes no
 * difference; `when` is ignored, as in the original (protocol a.7).
 */
export const quit = defineAction({
  schema,
  handle({ jobs }, { services }) {
    services.shutDown(jobs === undefined ? {} : { endJobs: jobs === 'end' });
    return { status: true, result: {} };
  },
});
