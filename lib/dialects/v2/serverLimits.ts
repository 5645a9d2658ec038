import { z } from 'zod';

const bound = (description: string) =>
  z
    .number()
    .nullable()
    .meta({ description: `${description}; null: no limit of its own.` });

/** What this server and its jobs are held to, unless a job asks for less. */
export const limitsSchema = z.object({
  jobsAtOnce: z.int().meta({ description: 'How many jobs run at once; others wait.' }),
  bodyBytes: z.int().meta({ description: 'How large the body of a request may be.' }),
  graceSeconds: z.number().meta({
    description: 'How long a job that is killed has until SIGKILL, unless its order says so.',
  }),
  job: z
    .object({
      memoryBytes: bound('Its memory'),
      cpus: bound('Processors, and parts of one'),
      processes: bound('How many processes it may have'),
      outputBytes: bound('What each part may write to each output'),
    })
    .meta({ description: 'What each job of this host may take, unless it asks for less.' }),
  kept: z
    .object({
      seconds: bound('How long'),
      jobs: bound('How many'),
      bytes: bound('How many bytes of records and outputs'),
    })
    .meta({ description: 'What is kept of jobs that have ended.' }),
});
export type ServerLimits = z.infer<typeof limitsSchema>;
