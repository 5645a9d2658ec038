import type { IncomingMessage, ServerResponse } from 'node:http';
import { PREFLIGHT_HEADERS } from '../wire/foreignPage.ts';
import type { Handled } from './context.ts';

/** What a browser asks before it sends a page's request to another origin; it never carries a token. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

export function answerPreflight(response: ServerResponse): Handled {
  for (const [name, value] of PREFLIGHT_HEADERS) response.setHeader(name, value);
  response.writeHead(204).end();
  return 'message';
}
