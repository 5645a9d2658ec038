import { resolve } from 'node:path';
import { z } from 'zod';

// How the values of settings are written: what a text has to look like, and what it becomes.

/** Node takes a longer time for a timer as one millisecond. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const wholeNumber = (low: number, high: number) =>
  z
    .string()
    .trim()
    .regex(/^-?\d+$/, 'is not a whole number')
    .transform(Number)
    .refine((n) => n >= low && n <= high, `is not between ${low} and ${high}`);
export const secondsToMs = z
  .string()
  .trim()
  .regex(/^\d+(\.\d+)?$/, 'is not a number of seconds from 0 on')
  .transform((text) => Math.round(Number(text) * 1000))
  .refine((ms) => ms <= MAX_TIMER_MS, 'is longer than 24 days');
export const path = z
  .string()
  .min(1, 'is empty')
  .transform((text) => resolve(text));
export const optionalNumber = z
  .string()
  .trim()
  .regex(/^(\d+(\.\d+)?)?$/, 'is not a number from 0 on')
  .transform((text) => (text === '' ? undefined : Number(text)));
/** Above nothing: what has to be kept for a while, or up to a size. */
export const someNumber = z
  .string()
  .trim()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, 'is not a number')
  .transform(Number)
  .refine((number) => number > 0, 'is not above 0');
/** An IPv6 address may have the brackets that it has in a URL. */
export const address = z.string().transform((text) => text.replace(/^\[(.*:.*)\]$/, '$1'));
export const optionalPath = z
  .string()
  .transform((text) => (text === '' ? undefined : resolve(text)));

/** Nothing is no limit; 0 would be one that nobody can keep. */
export const optionalQuantity = (read: (text: string) => number | undefined, message: string) =>
  z
    .string()
    .trim()
    .refine((text) => text === '' || (read(text) ?? 0) > 0, message)
    .transform((text) => (text === '' ? undefined : read(text)));

export const umask = z
  .string()
  .trim()
  .regex(/^0?[0-7]{3}$/, 'is no umask: three octal digits, as 077 or 027')
  .transform((text) => Number.parseInt(text, 8))
  .refine((bits) => (bits & 0o022) === 0o022, 'would let other users write what pman obeys')
  .refine((bits) => (bits & 0o700) === 0, 'would keep pman from its own files');
