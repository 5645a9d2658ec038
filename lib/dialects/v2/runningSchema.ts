import { z } from 'zod';

const known = (description: string) => z.number().nullable().meta({ description });

export const runningSchema = z
  .object({
    jobs: z.array(
      z.object({
        id: z.string(),
        cpuSeconds: known('Processor time of the part that runs, until now.'),
        memoryBytes: known('What its processes hold in memory now.'),
        stdoutBytes: known('What it has written until now.'),
        stderrBytes: known('The same of stderr.'),
        lastLine: z.string().nullable().meta({ description: 'The end of its stdout.' }),
      }),
    ),
  })
  .meta({ id: 'RunningJobs', description: 'Null is what is not known, as for containers.' });
