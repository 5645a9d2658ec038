import { z } from 'zod';

export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    hint: z.string().optional(),
    oldest: z.int().optional().meta({ description: 'With `gone`: the oldest event that is kept.' }),
    newest: z.int().optional().meta({ description: 'With `gone`: the newest event.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });
