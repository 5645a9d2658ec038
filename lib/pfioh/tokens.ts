import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { parse } from 'ini';
import { messageOf, PmanError, UsageError } from '../errors.ts';

const DEFAULT_FILE = 'pfioh_config.cfg';

/**
 * The tokens of a file: the values of `[AUTH TOKENS]` in a `.cfg` or `.ini` file, else one token a line.
 * @throws UsageError when there is none
 */
export function readTokens(path: string): readonly string[] {
  const file = path === '' ? DEFAULT_FILE : path;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`cannot read the tokens in ${file}: ${messageOf(cause)}`, { cause });
  }
  const isIni = file.includes('.cfg') || file.includes('.ini');
  const tokens = isIni ? iniTokens(text) : text.split('\n');
  const found = tokens.map((token) => token.trim()).filter((token) => token !== '');
  if (found.length === 0) {
    throw new UsageError(`${file} holds no token${isIni ? ' in a section [AUTH TOKENS]' : ''}`);
  }
  return found;
}

function iniTokens(text: string): string[] {
  const section: unknown = parse(text)['AUTH TOKENS'];
  if (typeof section !== 'object' || section === null) return [];
  return Object.values(section).filter((value): value is string => typeof value === 'string');
}

/**
 * Checks the token of a request: the last word of `Authorization`, whatever scheme stands before it.
 * @throws PmanError `unauthorized`
 */
export function authorize(request: IncomingMessage, tokens: readonly string[] | undefined): void {
  if (tokens === undefined) return;
  const header = request.headers.authorization;
  if (header === undefined)
    throw new PmanError('unauthorized', 'this pfioh wants a token', {
      hint: 'purl --authToken TOKEN',
    });
  const token = header.trim().split(/\s+/).at(-1) ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  // Every token is compared, each in constant time.
  const matches = tokens.filter((known) => timingSafeEqual(digest(known), digest(token)));
  if (matches.length === 0) throw new PmanError('unauthorized', 'the token is not known here');
}
