import { z } from 'zod';
import { ENGINE_NAMES } from '../../jobs/capabilities.ts';
import { defineRoute } from './apiRoute.ts';

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

export const getBackends = defineRoute({
  method: 'GET',
  path: '/api/v2/backends',
  operation: 'getBackends',
  summary:
    'Asks each of what runs jobs here whether it could run one now; that takes 5 seconds at most.',
  answers: { 200: { description: 'How they stand.', schema: backendsSchema } },
  handle: (_call, { jobs }) => ({
    later: async () => ({ status: 200, body: { backends: await jobs.readiness() } }),
  }),
});
