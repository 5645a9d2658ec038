import { holdsToken } from '../tokens.ts';

/** Tells whether a request may be obeyed, and what must not be shown. */
export interface Authenticator {
  /** @param authorization value of the Authorization header, undefined when there is none */
  accepts(authorization: string | undefined): boolean;
  /** A text as it may be shown: without tokens. */
  mask(text: string): string;
}

/** What stands for a token where text with one in it is shown. */
export const MASK = '***';

/** @param tokens those that are accepted; undefined lets everybody in */
export function makeAuthenticator(tokens: readonly string[] | undefined): Authenticator {
  if (tokens === undefined) return { accepts: () => true, mask: (text) => text };
  // A token may hold a shorter one: of what is left of it, nothing is to be seen.
  const longestFirst = [...tokens].sort((a, b) => b.length - a.length);
  return {
    accepts: (authorization) => holdsToken(authorization, tokens),
    mask: (text) => longestFirst.reduce((shown, token) => shown.replaceAll(token, MASK), text),
  };
}
