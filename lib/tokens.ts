import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
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
  const lines = isIni(file) ? iniTokens(content, file) : content.split('\n');
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

/**
 * As Python's configparser reads the section, and not as the `ini` package does: a value goes to the end of its line,
 * `#`, `;` and quotes included, a colon separates as well as `=`, a line that is indented deeper than its key goes on
 * with the value, and a key without a value is an error. The package cuts `a#b` to `a` and makes the token `true` of a
 * line it does not understand. What Python adds from a section `[DEFAULT]` is no token.
 */
function iniTokens(content: string, path: string): readonly string[] {
  const tokens: string[] = [];
  let section: string | undefined;
  /** How far the key above is indented; undefined behind a section's name. */
  let keyIndent: number | undefined;
  for (const [i, line] of content.split('\n').entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue;
    const indent = line.search(/\S/);
    if (keyIndent !== undefined && indent > keyIndent) {
      if (section === SECTION) tokens.push(`${tokens.pop() ?? ''}\n${text}`);
      continue;
    }
    keyIndent = indent;
    const header = /^\[([^\]]+)\]/.exec(text);
    if (header) {
      section = header[1];
      keyIndent = undefined;
    } else if (section === SECTION) {
      const value = /^[^=:]+[=:](.*)$/.exec(text)?.[1];
      // The line may be a token that lacks its key: it is not shown.
      if (value === undefined) {
        throw new UsageError(`${path}, line ${i + 1}: a token is written as "name = token"`);
      }
      tokens.push(value);
    }
  }
  return tokens;
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
