import type { Services } from '../actions/action.ts';
import { BadRequestError, PmanError, systemErrorCode } from '../errors.ts';
import type { GatewayReply, GatewayRequest, RequestHandler } from '../gateway/types.ts';
import type { JsonValue } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import { errorMember, type ReplyBody, statusOf } from '../wire/reply.ts';
import type { Authenticator } from './auth.ts';
import { echoOf, originForm, payloadEcho } from './echo.ts';
import type { Listeners } from './listeners.ts';
import { outputReply } from './rawOutput.ts';
import { obey, type Told } from './verbs.ts';

export interface HandlerOptions {
  readonly services: Services;
  readonly listeners: Listeners;
  readonly authenticator: Authenticator;
  /** `--http`: the original's content type and its CORS header (protocol a.2). */
  readonly httpMode: boolean;
}

/** The original answers with an indent of four blanks. */
const INDENT = 4;

/** From a request to its reply: the one place where an error becomes an answer, so that none costs a listener. */
export function makeHandler(options: HandlerOptions): RequestHandler {
  const { services, listeners, authenticator, httpMode } = options;
  return async (request) => {
    const body = decode(request.body);
    const payload = (body ?? '').replace(/\r?\n$/, '');
    const echo = echoOf(request, payload, authenticator);
    const told: Told = {};
    let httpStatus = 200;
    try {
      requireToken(authenticator, request);
      const output = await outputReply(services, request);
      if (output !== undefined) return withCors(output, httpMode);
      Object.assign(told, payloadEcho(payload, authenticator));
      if (body === undefined) throw new BadRequestError('the body is not UTF-8 text');
      const { method } = request;
      const target = originForm(request.target);
      await listeners.work(request.signal, () => obey(services, { method, target, payload }, told));
    } catch (error) {
      httpStatus = statusOf(error);
      told.status = false;
      told.error = errorMember(error);
      if (!(error instanceof PmanError)) {
        services.log.error('a request failed', {
          action: told.action ?? '',
          error: stackOf(error),
        });
      }
    }
    return toReply(inOrder(echo, told), httpStatus, request, options);
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A browser's preflight (OPTIONS) never carries a token, and nothing is done for it. */
function requireToken(authenticator: Authenticator, request: GatewayRequest): void {
  const { authorization, method } = request;
  if (method === 'OPTIONS' || authenticator.accepts(authorization)) return;
  throw new PmanError(
    'unauthorized',
    authorization === undefined ? 'this server wants a token' : 'the token is not known here',
    { hint: 'send the header "Authorization: Bearer <token>"' },
  );
}

/** The members in the order of protocol a.4; those that are undefined are not written. */
function inOrder(echo: ReturnType<typeof echoOf>, told: Told): { [K in keyof ReplyBody]: unknown } {
  return {
    status: told.status ?? false,
    RESTheader: echo.RESTheader,
    RESTverb: echo.RESTverb,
    action: told.action ?? '',
    path: echo.path,
    receivedByServer: echo.receivedByServer,
    GET: told.GET,
    total: told.total,
    client_json_payload: told.client_json_payload,
    client_json_len: told.client_json_len,
    payloadsize: told.payloadsize,
    meta: told.meta,
    d_ret: told.d_ret,
    error: told.error,
  };
}

function toReply(
  body: ReturnType<typeof inOrder>,
  status: number,
  request: GatewayRequest,
  { httpMode }: HandlerOptions,
): GatewayReply {
  // Every character is ASCII, so that one byte each is enough.
  const bytes = Buffer.from(dumps(body as JsonValue, INDENT), 'latin1');
  return {
    status,
    headers: [
      ['Content-Length', String(bytes.length)],
      ['Content-Type', contentType(request, httpMode)],
      ...(httpMode ? [ALLOW_ALL] : []),
      ...(httpMode && request.method === 'OPTIONS' ? PREFLIGHT : []),
      ...(status === 401 ? [CHALLENGE] : []),
    ],
    body: bytes,
  };
}

function withCors(reply: GatewayReply, httpMode: boolean): GatewayReply {
  return httpMode ? { ...reply, headers: [...reply.headers, ALLOW_ALL] } : reply;
}

const ALLOW_ALL = ['Access-Control-Allow-Origin', '*'] as const;
const CHALLENGE = ['WWW-Authenticate', 'Bearer'] as const;

/** What a browser's preflight wants to know before it sends JSON. */
const PREFLIGHT: GatewayReply['headers'] = [
  ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, OPTIONS'],
  ['Access-Control-Allow-Headers', 'Authorization, Content-Type'],
];

/**
 * `application/html` is the original's (protocol a.2). A browser, which asks for text/html by name, would offer that
 * for download: it gets JSON's own type.
 */
function contentType({ rawHeaders }: GatewayRequest, httpMode: boolean): string {
  if (!httpMode) return 'application/json';
  const accept = rawHeaders.find(([name]) => name.toLowerCase() === 'accept')?.[1] ?? '';
  return accept.includes('text/html') ? 'application/json' : 'application/html';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body as text; undefined when it is no UTF-8. */
function decode(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return '';
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') return undefined;
    throw error;
  }
}
