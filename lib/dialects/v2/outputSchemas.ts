import { z } from 'zod';
import { wholeNumber } from './schemaParts.ts';

export const followQuerySchema = z.strictObject({
  follow: z.enum(['0', '1', 'true', 'false']).optional(),
  part: wholeNumber.pipe(z.int().min(0).max(999_999)).optional(),
  offset: wholeNumber
    .optional()
    .meta({ description: 'How many bytes at the beginning are left out; of what is followed.' }),
});

export const bothQuerySchema = followQuerySchema.extend({
  offset: z
    .string()
    .optional()
    .meta({ description: 'The `id` of the last line that the client has.' }),
});
