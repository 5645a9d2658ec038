import { z } from 'zod';

export const fileListSchema = z
  .object({
    files: z.array(
      z.object({
        path: z.string().meta({ description: 'Below the working folder.' }),
        bytes: z.int(),
        modifiedAt: z.iso.datetime({ precision: 3 }),
        link: z.string(),
      }),
    ),
    isComplete: z.boolean().meta({ description: 'Whether there are no others.' }),
  })
  .meta({ id: 'FileList' });
