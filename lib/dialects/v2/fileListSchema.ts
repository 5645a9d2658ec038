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
    notUtf8: z.int().min(1).optional().meta({
      description:
        'How many files and folders were passed over, as their names are not UTF-8: no path leads there. Not there for none.',
    }),
  })
  .meta({ id: 'FileList' });
