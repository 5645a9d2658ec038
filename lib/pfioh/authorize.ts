import type { IncomingMessage } from 'node:http';
import { PmanError } from '../errors.ts';
import { holdsToken } from '../tokens.ts';

/**
 * Checks the token of a request: the last word of `Authorization`, whatever scheme stands before it.
 * @throws PmanError `unauthorized`
 */
export function authorize(
  { headers: { authorization } }: IncomingMessage,
  tokens: readonly string[] | undefined,
): void {
  if (tokens === undefined || holdsToken(authorization, tokens)) return;
  if (authorization !== undefined) {
    throw new PmanError('unauthorized', 'the token is not known here');
  }
  throw new PmanError('unauthorized', 'this pfioh wants a token', {
    hint: 'purl --authToken TOKEN',
  });
}
