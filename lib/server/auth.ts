import { createHash, timingSafeEqual } from 'node:crypto';
import { readTokens } from './tokenFile.ts';

/** Tells whether a request's Authorization header holds one of the tokens. */
export interface Authenticator {
  /** @param authorization value of the header, undefined when there is none */
  accepts(authorization: string | undefined): boolean;
  /** A text as it may be shown: without tokens. */
  mask(text: string): string;
}

/** Lets everybody in: token authentication is off. */
export const openDoor: Authenticator = { accepts: () => true, mask: (text) => text };

/** What stands for a token where text with one in it is shown. */
export const MASK = '***';

/** Where the original looks when no path is given (protocol e). */
const DEFAULT_PATH = 'socket_config.cfg';

/**
 * An authenticator with the tokens of a file.
 * @throws UsageError when the file cannot be read or holds no token
 */
export function tokenAuthenticator(tokenPath: string): Authenticator {
  return makeAuthenticator(readTokens(tokenPath === '' ? DEFAULT_PATH : tokenPath));
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
    mask: (text) => tokens.reduce((shown, token) => shown.replaceAll(token, MASK), text),
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
