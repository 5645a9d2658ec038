import { z } from 'zod';
import { isWhole } from '../../wire/request.ts';
import { textMap } from '../../wire/textMap.ts';

/**
 * What several schemas of `/api/v2` are made of. They check what is sent, the OpenAPI document is made of them, and the
 * tests hold answers to them.
 */

/** What a program or a record can be given as UTF-8. */
const programText = (message?: string) =>
  z
    .string(message)
    .refine((value) => !value.includes('\0'), 'holds a NUL character')
    .refine(isWhole, 'holds half of a character (a lone surrogate)');
export const text = programText();
export const word = text.min(1, 'is empty').max(4096, 'has more than 4096 characters');
/** Not z.record, which drops a member of the name `__proto__`. */
export const texts = textMap(programText('has to be a text'), 'has to be an object').meta({
  type: 'object',
  additionalProperties: { type: 'string' },
});
/** All that has 15 digits is exact as a number. */
export const MOST_NUMBER = 999_999_999_999_999;
export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number)
  .pipe(z.int().min(0).max(MOST_NUMBER));
export const limit = (most: number) => wholeNumber.pipe(z.int().min(1).max(most));
export const seconds = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,3})?s?$/, 'is not of the form 30s')
  .transform((value) => Number(value.replace('s', '')))
  .pipe(z.number().min(0).max(9999, 'is more than 9999 seconds').multipleOf(0.001));

export const bytes = z.union(
  [z.int().min(1024), z.string().regex(/^\d+(\.\d+)?([kKMGT]i?)?$/, 'is not like 512Mi')],
  'has to be a whole number of bytes, or a text such as 512Mi',
);

/** Words with commas between; or each of them by itself, as many libraries send a list. */
export const words = <T extends readonly [string, ...string[]]>(of: T) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat().flatMap((one) => one.split(',')))
    .pipe(z.array(z.enum(of)).min(1));

const NO_TIME = 'is no time of RFC 3339, such as 2026-11-28T12:00:00Z';

/** What JavaScript leaves out of an instant, in milliseconds: 0.018 of 12:00:00.705018Z. */
function microsecondsOf(text: string): number {
  const digits = /\.\d{3}(\d{1,3})/.exec(text)?.[1] ?? '';
  return Number(digits.padEnd(3, '0')) / 1000;
}

/**
 * An instant; milliseconds since 1970, with the fraction that orders of jobs have. RFC 3339 lets T and Z be small letters, and
 * a `+` that nobody has escaped is a blank in a query.
 */
export const instant = z
  .string()
  .transform((value) => value.toUpperCase().replace(/ (?=\d\d:\d\d$)/, '+'))
  .pipe(z.iso.datetime({ offset: true, error: NO_TIME }))
  .transform((value) => Date.parse(value) + microsecondsOf(value))
  .meta({ type: 'string', format: 'date-time' });

/** In the path of what is said of one job. */
export const idSchema = z.object({
  id: z.string().meta({ description: 'Of the job.' }),
});
