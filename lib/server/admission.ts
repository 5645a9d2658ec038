import { PmanError } from '../errors.ts';
import type { GatewayReply, RequestHead } from '../gateway/types.ts';
import { PREFLIGHT_HEADERS, refuseForeign } from '../wire/foreignPage.ts';
import type { JsonObject } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import { errorMember, REPLY_INDENT, SAFETY_HEADERS, statusOf } from '../wire/reply.ts';
import type { Authenticator } from './auth.ts';
import { everyAnswer, type HeaderOptions, jsonHeaders, pageOf } from './headers.ts';

export interface AdmissionOptions extends HeaderOptions {
  readonly authenticator: Authenticator;
}

/**
 * Decides by a request's head, before its body is read, whether it is let in; else gives the answer. What is not let in
 * costs no listener, and its answer repeats nothing of it: nobody learns from it what the server knows.
 */
export function makeAdmission(options: AdmissionOptions) {
  const { authenticator, pages } = options;
  return (head: RequestHead): GatewayReply | undefined => {
    try {
      refuseForeign(pageOf(head), pages);
      if (isPreflight(head)) return preflightReply(head, options);
      if (!authenticator.accepts(head.authorization)) throw unauthorized(head);
      return undefined;
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      return closedDoor(error, head, options);
    }
  };
}

/** What a browser asks before it sends a page's JSON to another origin (Fetch, 3.2.2); it never carries a token. */
function isPreflight({ method, rawHeaders }: RequestHead): boolean {
  const has = (wanted: string) => rawHeaders.some(([name]) => name.toLowerCase() === wanted);
  return method === 'OPTIONS' && has('origin') && has('access-control-request-method');
}

function preflightReply(head: RequestHead, { pages }: AdmissionOptions): GatewayReply {
  const headers = [...everyAnswer(head, pages), ...PREFLIGHT_HEADERS];
  return { status: 204, headers, body: Buffer.alloc(0) };
}

function unauthorized({ authorization }: RequestHead): PmanError {
  return new PmanError(
    'unauthorized',
    authorization === undefined ? 'this server wants a token' : 'the token is not known here',
    { hint: 'send the header "Authorization: Bearer <token>"' },
  );
}

/** The members of protocol a.4 that every answer has, with nothing in them. */
const SAYS_NOTHING = {
  status: false,
  RESTheader: '',
  RESTverb: '',
  action: '',
  path: '',
  receivedByServer: [],
} as const satisfies JsonObject;

function closedDoor(error: PmanError, head: RequestHead, options: AdmissionOptions): GatewayReply {
  const said = { ...SAYS_NOTHING, error: errorMember(error) };
  const status = statusOf(error);
  // A page that may not ask may not read why either.
  const headers =
    status === 403
      ? [['Content-Type', 'application/json'] as const, ...SAFETY_HEADERS]
      : [...jsonHeaders(head, options), CHALLENGE];
  return { status, headers, body: Buffer.from(dumps(said, REPLY_INDENT), 'latin1') };
}

const CHALLENGE = ['WWW-Authenticate', 'Bearer'] as const;
