import { readFile } from 'node:fs/promises';
import { parse } from 'ini';
import { z } from 'zod';
import { messageOf, UsageError } from '../../lib/errors.ts';

const confSchema = z.looseObject({ DEFAULT: z.record(z.string(), z.unknown()) });

/**
 * The engine's address in a config file: `base_url` in the section [DEFAULT], the key in any case. Undefined for a file that does
 * not say; throws UsageError for one that cannot be read.
 */
export async function baseUrlOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`cannot read the config file: ${messageOf(error)}`, { cause: error });
  });
  const conf = confSchema.safeParse(parse(withEqualSigns(text)));
  const entries = Object.entries(conf.data?.DEFAULT ?? {});
  const value = entries.find(([key]) => key.toLowerCase() === 'base_url')?.[1];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Python's INI files may have `key: value`; the parser knows only `key = value`. */
function withEqualSigns(text: string): string {
  return text.replace(/^([\w-]+)\s*:\s*/gm, '$1 = ');
}
