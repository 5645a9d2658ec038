import type { GatewayRequest } from '../gateway/types.ts';
import type { ReplyBody } from '../wire/reply.ts';
import { type Authenticator, MASK } from './auth.ts';

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
  const shownTarget = authenticator.mask(target);
  const requestLine = `${method} ${shownTarget} HTTP/${httpVersion}\r`;
  const headers = rawHeaders.map(([name, value]) => {
    const isSecret = /authorization|cookie/i.test(name);
    return `${name}: ${isSecret ? MASK : authenticator.mask(value)}\r`;
  });
  return {
    RESTheader: requestLine,
    RESTverb: method,
    path: pathOf(shownTarget),
    receivedByServer: [requestLine, ...headers, '\r', ...cut(authenticator.mask(body)).split('\n')],
  };
}

/** The path of a target. One trailing slash is dropped (pman 2.2.4 Listener.process). */
export function pathOf(target: string): string {
  const path = originForm(target);
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The path and the query of a target that may be a whole URL (RFC 9112, 3.2.2). */
export function originForm(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '');
}

/** The members about the payload (protocol a.4). Lengths are those of the whole, in characters as Python counts them. */
export function payloadEcho(
  payload: string,
  authenticator: Authenticator,
): Pick<ReplyBody, 'client_json_payload' | 'client_json_len' | 'payloadsize'> {
  const length = characters(payload);
  return {
    client_json_payload: cut(authenticator.mask(payload)),
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
