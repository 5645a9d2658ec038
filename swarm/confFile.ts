import { readFile } from 'node:fs/promises';
import { parse } from 'ini';
import { z } from 'zod';
import { messageOf, UsageError } from '../lib/errors.ts';

const confSchema = z.looseObject({ DEFAULT: z.record(z.string(), z.unknown()) });

/**
 * The engine's address in a config file: `base_url` in the section [DEFAULT], the key in any case.
 * Throws UsageError for a file that cannot be read or does not say.
 */
export async function baseUrlOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`cannot read the config file: ${messageOf(error)}`, { cause: error });
  });
  const conf = confSchema.safeParse(parse(withEqualSigns(text)));
  const entries = Object.entries(conf.data?.DEFAULT ?? {});
  const value = entries.find(([key]) => key.toLowerCase() === 'base_url')?.[1];
  if (typeof value === 'string' && value !== '') return value;
  throw new UsageError(`the config file ${file} has no base_url in its section [DEFAULT]`);
}

/** Python's INI files may have `key: value`; the parser knows only `key = value`. */
function withEqualSigns(text: string): string {
  return text.replace(/^([\w-]+)\s*:\s*/gm, '$1 = ');
}
