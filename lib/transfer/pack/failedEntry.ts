import { z } from 'zod';
import { parseJsonOrUndefined } from '../jsonText.ts';
import type { SourceError } from '../sourceError.ts';
import { damagedPack } from './packFormat.ts';

/** A file that a pack should have brought. */
export interface FailedEntry {
  readonly name: string;
  /** That of the error: `conflict` for one that changed while it was read, `not_found` for one that is gone. */
  readonly code: string;
  readonly why: string;
}

/** So that it fits into its record, whatever the characters are. */
const MOST_CHARACTERS = 2000;

const schema = z.tuple([z.string(), z.string()]);

/** The content of a `failed` record. Where the store lies that it is `within` is nobody's business. */
export function failedContent(
  { code, message: said }: SourceError,
  within: string | undefined,
): Buffer {
  const message = within === undefined ? said : said.replaceAll(`${within}/`, '');
  return Buffer.from(JSON.stringify([code, message.slice(0, MOST_CHARACTERS)]));
}

/** @throws BadRequestError */
export function readFailed(name: string, content: Buffer): FailedEntry {
  const { data } = schema.safeParse(parseJsonOrUndefined(content.toString('utf8')));
  if (data === undefined) throw damagedPack('it does not say why a file has not come');
  const [code, why] = data;
  return { name, code, why };
}
