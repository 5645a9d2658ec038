import { defineRoute } from './apiRoute.ts';
import { fileStoreSchema } from './fileStoreSchema.ts';

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
