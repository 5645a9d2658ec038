import { defineRoute } from './apiRoute.ts';
import { backendsSchema } from './backendsSchema.ts';

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
