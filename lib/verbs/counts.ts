import { UsageError } from '../errors.ts';
import { flagValue, type Words } from './flagWords.ts';

/**
 * The whole number that a flag gives; undefined without it. One above all that can be counted means as many as there are.
 * @param shown the flag as people write it
 * @throws UsageError
 */
export function countOf(
  words: Words,
  flag: string,
  { shown = `--${flag}`, what = 'whole number' } = {},
): number | undefined {
  const text = flagValue(words, flag);
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  throw new UsageError(`${shown} ${JSON.stringify(text)} is no ${what}`);
}
