import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { messageOf, UsageError } from '../errors.ts';

/** Tells whether a request's Authorization header holds one of the tokens. */
export interface Authenticator {
  /** @param authorization value of the header, undefined when there is none */
  accepts(authorization: string | undefined): boolean;
  /** Whether a text holds a token, and so must not be shown. */
  holdsToken(text: string): boolean;
}

/** Lets everybody in: token authentication is off. */
export const openDoor: Authenticator = { accepts: () => true, holdsToken: () => false };

const SECTION = 'AUTH TOKENS';
/** Where the original looks when no path is given (protocol e). */
const DEFAULT_PATH = 'socket_config.cfg';

/**
 * Reads the tokens (protocol e). In a file whose name ends in .cfg or .ini they are the values of the section
 * `[AUTH TOKENS]`; any other file has one a line.
 * @throws UsageError when the file cannot be read or holds no token
 */
export function tokenAuthenticator(tokenPath: string): Authenticator {
  const path = tokenPath === '' ? DEFAULT_PATH : tokenPath;
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `cannot read the tokens: ${messageOf(error)}; name their file with --tokenPath`,
      {
        cause: error,
      },
    );
  }
  const tokens = isIni(path) ? iniTokens(content) : content.split('\n');
  const digests = tokens.map((token) => token.trim()).filter((token) => token !== '');
  if (digests.length === 0) {
    throw new UsageError(
      isIni(path)
        ? `${path} has no token in its section [${SECTION}]`
        : `${path} has no line with a token`,
    );
  }
  return makeAuthenticator(digests);
}

/** The original looks for ".cfg" anywhere in the path, and only promises to read .ini the same way. */
function isIni(path: string): boolean {
  return path.includes('.cfg') || extname(path) === '.ini';
}

/**
 * The values of the section, read as Python's configparser reads them: after the first `=` or `:`, whatever comes.
 * Other readers cut a value at `;` or `#`, or give a line that they do not know the value "true": a shorter token
 * than meant would open the door.
 */
function iniTokens(content: string): readonly string[] {
  let section = '';
  const tokens: string[] = [];
  for (const line of content.split(/\r?\n/)) {
    const header = /^\[(.+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    else if (section === SECTION && !/^\s*[#;]/.test(line)) {
      const value = /^[^=:\s][^=:]*[=:](.*)$/.exec(line)?.[1];
      if (value !== undefined) tokens.push(value);
    }
  }
  return tokens;
}

/** Tokens are compared as digests of one length, every one of them, so that the time taken tells nothing. */
function makeAuthenticator(tokens: readonly string[]): Authenticator {
  const digests = tokens.map(digest);
  return {
    accepts(authorization) {
      // The scheme word before it is optional and any word will do (pman 2.2.4 takes the last word).
      const sent = digest(authorization?.trim().split(/\s+/).at(-1) ?? '');
      let found = false;
      for (const known of digests) found = timingSafeEqual(known, sent) || found;
      return found && authorization !== undefined;
    },
    holdsToken: (text) => tokens.some((token) => text.includes(token)),
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
