import type { PmanClientError } from '../client/index.ts';
import { whyUnreachable } from './whyUnreachable.ts';

/** How somebody who types says who he is: the server tells of a header, which is the client's business. */
export const TOKEN_HINT =
  '--token-file FILE names the token of this server, as do PMAN_TOKEN_FILE and PMAN_TOKEN';

/** What whoever types can do about an error; undefined where there is nothing to say. */
export function clientHint(error: PmanClientError): string | undefined {
  if (error.mayHaveKey !== undefined) {
    const { mayHaveKey: key } = error;
    return `pman ls -a shows whether it was; sent again as pman run --key ${key} … it does not run twice`;
  }
  if (error.code === 'unauthorized') return TOKEN_HINT;
  // What says 5xx stands at the right address.
  if (error.code === 'bad_answer' && (error.status ?? 0) < 500)
    return `${error.hint}; --server or PMAN_URL names it`;
  if (error.code !== 'unreachable') return error.hint;
  const { why, todo } = whyUnreachable(error.cause);
  return why === undefined ? todo : `${why}; ${todo}`;
}
