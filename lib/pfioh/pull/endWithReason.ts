import type { IncomingMessage, ServerResponse } from 'node:http';
import { FAILURES_HEADER, failedTrailer, TOLD } from '../../transfer/toldFailure.ts';
import { tellable } from '../answer.ts';
import type { Places } from '../places.ts';

/**
 * Ends the answer to a pull, of which a part has been sent, with the reason behind it. False when the client has not said
 * that it looks there: to that one the answer would seem whole.
 */
export function endWithReason(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  places: Places,
): boolean {
  const looksThere = request.headers[FAILURES_HEADER.toLowerCase()] === TOLD;
  if (!looksThere || !response.hasHeader('Trailer') || response.destroyed) return false;
  response.addTrailers(failedTrailer(places.withoutBase(tellable(error).message)));
  response.end();
  return true;
}
