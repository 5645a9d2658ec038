import type { GatewayRequest } from '../gateway/types.ts';
import type { ReplyBody } from '../wire/reply.ts';
import type { Authenticator } from './auth.ts';

/** What stands in an echoed header for what must not be shown. */
const MASK = '***';

/**
 * How much of a body is echoed, in characters. The original never answered a request of more than 8192 bytes; bodies
 * of many MB need not travel back three times.
 */
const ECHO_LIMIT = 65_536;

/**
 * The members of a reply that say what the request was (protocol a.4): the request line, the verb, the path, and the
 * lines as they came, `\r` included, with tokens masked.
 */
export function echoOf(
  request: GatewayRequest,
  body: string,
  authenticator: Authenticator,
): Pick<ReplyBody, 'RESTheader' | 'RESTverb' | 'path' | 'receivedByServer'> {
  const { method, target, httpVersion, rawHeaders } = request;
  const requestLine = `${method} ${target} HTTP/${httpVersion}\r`;
  const headers = rawHeaders.map(([name, value]) => {
    const secret = /authorization|cookie/i.test(name) || authenticator.holdsToken(value);
    return `${name}: ${secret ? MASK : value}\r`;
  });
  return {
    RESTheader: requestLine,
    RESTverb: method,
    path: pathOf(target),
    receivedByServer: [requestLine, ...headers, '\r', ...cut(body).split('\n')],
  };
}

/** One trailing slash of the path is dropped (pman 2.2.4 Listener.process). */
export function pathOf(target: string): string {
  return target.endsWith('/') ? target.slice(0, -1) : target;
}

/** The members about the payload (protocol a.4). Lengths are those of the whole, in characters as Python counts them. */
export function payloadEcho(
  payload: string,
): Pick<ReplyBody, 'client_json_payload' | 'client_json_len' | 'payloadsize'> {
  const length = characters(payload);
  return {
    client_json_payload: cut(payload),
    client_json_len: length,
    ...(payload === '' ? {} : { payloadsize: length }),
  };
}

function cut(text: string): string {
  if (text.length <= ECHO_LIMIT) return text;
  const shown = text.slice(0, ECHO_LIMIT).replace(/[\ud800-\udbff]$/, '');
  return `${shown}… [${characters(text) - characters(shown)} more characters]`;
}

function characters(text: string): number {
  const pairs = text.match(/[\ud800-\udbff][\udc00-\udfff]/g);
  return text.length - (pairs?.length ?? 0);
}
