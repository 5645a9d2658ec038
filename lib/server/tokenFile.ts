import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { messageOf, UsageError } from '../errors.ts';

const SECTION = 'AUTH TOKENS';

/**
 * Reads the tokens (protocol e). In a file whose name ends in .cfg or .ini they are the values of the section
 * `[AUTH TOKENS]`; any other file has one a line.
 * @throws UsageError when the file cannot be read or holds no token
 */
export function readTokens(path: string): readonly string[] {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `cannot read the tokens: ${messageOf(error)}; name their file with --tokenPath`,
      { cause: error },
    );
  }
  const isSectioned = isIni(path);
  const tokens = (isSectioned ? iniTokens(content, path) : content.split('\n'))
    .map((token) => token.trim())
    .filter((token) => token !== '');
  if (tokens.length > 0) return tokens;
  throw new UsageError(
    isSectioned
      ? `${path} has no token in its section [${SECTION}]`
      : `${path} has no line with a token`,
  );
}

/** The original looks for ".cfg" anywhere in the path, and only promises to read .ini the same way. */
function isIni(path: string): boolean {
  return path.includes('.cfg') || extname(path) === '.ini';
}

/**
 * As Python's configparser reads the section, and not as the `ini` package does: a value goes to the end of its line,
 * `#`, `;` and quotes included, a colon separates as well as `=`, and a key without a value is an error. The package
 * cuts `a#b` to `a` and makes the token `true` of a line it does not understand.
 */
function iniTokens(content: string, path: string): readonly string[] {
  const tokens: string[] = [];
  let section: string | undefined;
  for (const [i, line] of content.split('\n').entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue;
    const header = /^\[([^\]]+)\]/.exec(text);
    if (header) section = header[1];
    else if (section === SECTION) {
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
