import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PmanError } from '../errors.ts';
import { readTokens as readTokenFile } from '../tokens.ts';

const DEFAULT_FILE = 'pfioh_config.cfg';

/**
 * The tokens of a file (protocol e); see `readTokens` in lib/tokens.ts.
 * @throws UsageError when there is none
 */
export const readTokens = (path: string): readonly string[] => readTokenFile(path, DEFAULT_FILE);

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
