import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from './context.ts';

/**
 * Finds out who sends a request, by its token: the last word of `Authorization`, whatever scheme stands before it. When
 * the token is revoked the connection ends, whatever is under way.
 * @throws PmanError `unauthorized`, `too_many_tries`
 */
export async function authorize(
  { headersDistinct: { authorization: sent }, socket }: IncomingMessage,
  response: ServerResponse,
  { door, asked }: RequestContext,
): Promise<void> {
  const { from } = asked.caller;
  // Of two, a proxy may have looked at the other one.
  const authorization = sent !== undefined && sent.length > 1 ? '' : sent?.[0];
  asked.caller = await door.callerOf(authorization, () => from);
  const { revoked } = asked.caller;
  if (revoked === undefined) return;
  const end = () => socket.destroy();
  if (revoked.aborted) end();
  else revoked.addEventListener('abort', end, { once: true });
  response.once('close', () => revoked.removeEventListener('abort', end));
}
