import { z } from 'zod';

export const killSchema = z
  .strictObject({
    signal: z.string().max(20).optional().meta({ description: 'Default: `TERM`.' }),
    grace: z
      .number()
      .min(0)
      .max(86_400)
      .optional()
      .meta({ description: 'Seconds until what is left gets SIGKILL.' }),
  })
  .meta({ id: 'KillOrder' });
