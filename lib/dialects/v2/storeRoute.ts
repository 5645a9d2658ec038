import { z } from 'zod';
import { defineRoute } from './apiRoute.ts';

export const fileStoreSchema = z
  .object({
    scheme: z.enum(['http', 'https']),
    port: z.int().meta({ description: 'Of the host that this request was sent to.' }),
    folder: z.string().meta({
      description: 'Where its files lie on that host. Jobs there may use it as their `cwd`.',
    }),
  })
  .meta({ id: 'FileStore' });

export const openStore = defineRoute({
  method: 'POST',
  path: '/api/v2/store',
  deed: 'fileiosetup',
  operation: 'openStore',
  summary:
    'Opens the file server (pfioh) beside this one, where that is not so yet: the same for all.',
  answers: { 200: { description: 'Where it is.', schema: fileStoreSchema } },
  handle: async (_call, { openStore: open }) => ({ status: 200, body: await open() }),
});
