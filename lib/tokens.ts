import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parse } from 'ini';
import { messageOf, UsageError } from './errors.ts';

const SECTION = 'AUTH TOKENS';

/**
 * Reads the tokens of a server (protocol e). In a file whose name ends in .cfg or .ini they are the values of the
 * section `[AUTH TOKENS]`; any other file has one a line.
 * @param fallback the file to read when `path` is empty
 * @throws UsageError when the file cannot be read or holds no token
 */
export function readTokens(path: string, fallback: string): readonly string[] {
  const file = path === '' ? fallback : path;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `cannot read the tokens: ${messageOf(error)}; name their file with --tokenPath`,
      { cause: error },
    );
  }
  const lines = isIni(file) ? iniTokens(content) : content.split('\n');
  const tokens = lines.map((token) => token.trim()).filter((token) => token !== '');
  if (tokens.length > 0) return tokens;
  throw new UsageError(
    isIni(file)
      ? `${file} has no token in its section [${SECTION}]`
      : `${file} has no line with a token`,
  );
}

/** The original looks for ".cfg" anywhere in the path, and only promises to read .ini the same way. */
function isIni(path: string): boolean {
  return path.includes('.cfg') || extname(path) === '.ini';
}

function iniTokens(content: string): readonly string[] {
  const section: unknown = parse(content)[SECTION];
  if (typeof section !== 'object' || section === null) return [];
  return Object.values(section).map(String);
}

/**
 * Whether the value of an Authorization header holds one of the tokens: as its last word, whatever scheme word stands
 * before it. Every token is compared, as a digest of one length, so that the time taken tells nothing.
 */
export function holdsToken(authorization: string | undefined, tokens: readonly string[]): boolean {
  const sent = digest(authorization?.trim().split(/\s+/).at(-1) ?? '');
  let found = false;
  for (const token of tokens) found = timingSafeEqual(digest(token), sent) || found;
  return found && authorization !== undefined;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
