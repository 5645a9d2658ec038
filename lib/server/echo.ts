import { type Door, MASK } from '../access/tokenStore.ts';
import type { RequestHead } from '../gateway/types.ts';
import { ECHO_LIMIT } from '../wire/cut.ts';
import { characterCount, type Payload } from '../wire/payload.ts';
import type { ReplyBody } from '../wire/reply.ts';

/**
 * The members of a reply that say what the request was (protocol a.4): the request line, the verb, the path, and the
 * lines as they came, `\r` included, with tokens masked.
 */
export function echoOf(
  request: RequestHead,
  payload: Pick<Payload, 'beginning' | 'characters'>,
  door: Pick<Door, 'mask'>,
): Pick<ReplyBody, 'RESTheader' | 'RESTverb' | 'path' | 'receivedByServer'> {
  const { method, target, httpVersion } = request;
  const shownTarget = door.mask(target);
  const requestLine = `${method} ${shownTarget} HTTP/${httpVersion}\r`;
  return {
    RESTheader: requestLine,
    RESTverb: method,
    path: pathOf(shownTarget),
    receivedByServer: [
      requestLine,
      ...headerLines(request, door),
      '\r',
      ...shown(payload, door).split('\n'),
    ],
  };
}

/** The same members for those who are not let in: they get nothing of what they have sent. */
export const NO_ECHO: ReturnType<typeof echoOf> = {
  RESTheader: '',
  RESTverb: '',
  path: '',
  receivedByServer: [],
};

/** The header lines as they are echoed, without the request line and the empty one. */
export function headerLines(
  { rawHeaders }: Pick<RequestHead, 'rawHeaders'>,
  door: Pick<Door, 'mask'>,
): readonly string[] {
  return rawHeaders.map(([name, value]) => {
    const isSecret = /authorization|cookie/i.test(name);
    return `${name}: ${isSecret ? MASK : door.mask(value)}\r`;
  });
}

/** The path of a target. One trailing slash is dropped (pman 2.2.4 Listener.process). */
export function pathOf(target: string): string {
  const path = originForm(target);
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The path and the query of a target that may be a whole URL (RFC 9112, 3.2.2). */
export function originForm(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '');
}

/** Tells of the payload (protocol a.4). Lengths are those of the whole, in characters as Python counts them. */
export function tellPayload(
  payload: Pick<Payload, 'beginning' | 'characters'>,
  door: Pick<Door, 'mask'>,
  told: { -readonly [K in keyof ReplyBody]?: ReplyBody[K] },
): void {
  const length = payload.characters;
  told.client_json_payload = shown(payload, door);
  told.client_json_len = length;
  if (length > 0) told.payloadsize = length;
}

/** A body as it is echoed: without tokens, and of a long one the beginning. */
export function shown(
  { beginning, characters }: Pick<Payload, 'beginning' | 'characters'>,
  door: Pick<Door, 'mask'>,
): string {
  const masked = door.mask(beginning);
  // What is no longer than that is whole.
  if (beginning.length <= ECHO_LIMIT) return masked;
  const left = characters - characterCount(beginning);
  const kept = masked.slice(0, ECHO_LIMIT).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… [${left + characterCount(masked) - characterCount(kept)} more characters]`;
}
