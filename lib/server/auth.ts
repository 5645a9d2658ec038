import { holdsToken } from '../tokens.ts';

/** Tells whether a request may be obeyed, and what must not be shown. */
export interface Authenticator {
  /** @param authorization value of the Authorization header, undefined when there is none */
  accepts(authorization: string | undefined): boolean;
  /** Whether a text holds a token. */
  isSecret(text: string): boolean;
}

/** @param tokens those that are accepted; undefined lets everybody in */
export function makeAuthenticator(tokens: readonly string[] | undefined): Authenticator {
  if (tokens === undefined) return { accepts: () => true, isSecret: () => false };
  return {
    accepts: (authorization) => holdsToken(authorization, tokens),
    isSecret: (text) => tokens.some((token) => text.includes(token)),
  };
}
