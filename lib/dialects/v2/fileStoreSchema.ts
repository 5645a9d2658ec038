import { z } from 'zod';

export const fileStoreSchema = z
  .object({
    scheme: z.enum(['http', 'https']),
    port: z.int().meta({ description: 'Of the host that this request was sent to.' }),
    folder: z.string().meta({
      description: 'Where its files lie on that host. Jobs there may use it as their `cwd`.',
    }),
  })
  .meta({ id: 'FileStore' });
