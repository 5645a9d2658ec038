import type { Caller } from '../access/caller.ts';
import { type GatewayReply, type GatewayRequest, isStream } from '../gateway/types.ts';

/** Given when nobody is left to answer to who may know. */
export function signalOf({ signal }: GatewayRequest, { revoked }: Caller): AbortSignal {
  return revoked === undefined ? signal : AbortSignal.any([signal, revoked]);
}

/** What still comes of a stream ends when the token is revoked. */
export function endWithToken({ body }: GatewayReply, { revoked }: Caller): void {
  if (revoked === undefined || !isStream(body)) return;
  // Whoever sends it is told; when nobody does any more, or not yet, it must not be pman's end.
  body.on('error', () => undefined);
  const end = () => body.destroy(new Error('the token is no longer good'));
  if (revoked.aborted) end();
  else revoked.addEventListener('abort', end, { once: true });
  body.once('close', () => revoked.removeEventListener('abort', end));
}
