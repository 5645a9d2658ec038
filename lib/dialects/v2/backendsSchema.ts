import { z } from 'zod';
import { ENGINE_NAMES } from '../../jobs/capabilities.ts';

export const backendsSchema = z
  .object({
    backends: z.array(
      z.object({
        name: z.enum(['host', ...ENGINE_NAMES]),
        state: z.enum(['ready', 'absent', 'failing']).meta({
          description: 'absent: there is nothing where it is looked for, such as no socket.',
        }),
        problem: z.string().nullable().meta({ description: 'Why it runs no job now.' }),
        hint: z.string().nullable().meta({ description: 'What can be done about that.' }),
      }),
    ),
  })
  .meta({ id: 'Backends' });
