import { z } from 'zod';

/**
 * What several schemas of `/api/v2` are made of. They check what is sent, the OpenAPI document is made of them, and the
 * tests hold answers to them.
 */

export const text = z.string().refine((value) => !value.includes('\0'), 'holds a NUL character');
export const word = text.min(1, 'is empty').max(4096, 'has more than 4096 characters');
export const texts = z.record(z.string(), text);
export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number)
  .pipe(z.int().min(0));
export const limit = (most: number) => wholeNumber.pipe(z.int().min(1).max(most));
export const seconds = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?s?$/, 'is not of the form 30s')
  .transform((value) => Number(value.replace('s', '')))
  .pipe(z.number().min(0).max(9999).multipleOf(0.001));

export const bytes = z.union([
  z.int().min(1024),
  z.string().regex(/^\d+(\.\d+)?([kKMGT]i?)?$/, 'is not like 512Mi'),
]);

/** Words with commas between. */
export const words = <T extends readonly [string, ...string[]]>(of: T) =>
  z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(of)).min(1));

/** An instant; milliseconds since 1970. */
export const instant = z.iso
  .datetime({ offset: true, error: 'is no time of RFC 3339, such as 2026-11-28T12:00:00Z' })
  .transform((value) => Date.parse(value));

/** In the path of what is said of one job. */
export const idSchema = z.object({
  id: z.string().meta({ description: 'Of the job.' }),
});
