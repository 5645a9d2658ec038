import { isUtf8 } from 'node:buffer';
import { type Audit, codeOf } from '../access/auditLog.ts';
import { type Door, MASK } from '../access/tokenStore.ts';
import { isApiRequest } from '../dialects/v2/index.ts';
import { PmanError } from '../errors.ts';
import type { GatewayReply, Refusal, RequestHead } from '../gateway/types.ts';
import { PREFLIGHT_HEADERS, refuseForeign } from '../wire/foreignPage.ts';
import type { JsonObject } from '../wire/json.ts';
import { payloadOf } from '../wire/payload.ts';
import { dumps } from '../wire/pythonJson.ts';
import {
  errorHeaders,
  errorMember,
  REPLY_INDENT,
  SAFETY_HEADERS,
  statusOf,
} from '../wire/reply.ts';
import { apiRefusal } from './apiHandler.ts';
import { echoOf } from './echo.ts';
import { everyAnswer, type HeaderOptions, jsonHeaders, pageOf } from './headers.ts';
import { isHealthCheck } from './healthCheck.ts';
import { isVisit, pagePathIn } from './pageReply.ts';
import { probeIn } from './readiness.ts';

export interface AdmissionOptions extends HeaderOptions {
  readonly door: Door;
  readonly audit: Audit;
}

/**
 * Decides by a request's head, before its body is read, whether it is let in. What is not let in costs no listener. The
 * answer to a page repeats nothing of the request. That to a client without a token repeats it as the original does, but
 * for what stands where secrets do, whatever it is: nobody learns from an answer what the server knows.
 */
export function makeAdmission(options: AdmissionOptions) {
  const { door, pages } = options;
  const refusal = (error: unknown, head: RequestHead): Refusal => {
    if (!(error instanceof PmanError)) throw error;
    writeRefusal(error, head, options);
    return (sent) => closedDoor(error, head, sent, options);
  };
  return (head: RequestHead): Refusal | undefined | Promise<Refusal | undefined> => {
    try {
      if (probeIn(head) !== undefined) return undefined;
      const page = pagePathIn(head);
      // Who follows a link to the page gets its files, which hold nothing. What it then asks is of its own origin.
      const sender = pageOf(head);
      const isVisitor = page !== undefined && isVisit(head);
      refuseForeign(isVisitor ? { host: sender.host } : sender, pages);
      if (isPreflight(head)) return () => preflightReply(head, options);
      if (isHealthCheck(head)) return undefined;
      if (page !== undefined) return undefined;
      const caller = door.callerOf(head.authorization, () => head.from ?? []);
      if (!(caller instanceof Promise)) return undefined;
      return caller.then(
        () => undefined,
        (error: unknown) => refusal(error, head),
      );
    } catch (error) {
      return refusal(error, head);
    }
  };
}

/** Those who send no token are not written down: a browser asks so before it asks its user. */
function writeRefusal(error: PmanError, head: RequestHead, { audit }: AdmissionOptions): void {
  if (error.code === 'unauthorized' && head.authorization === undefined) return;
  audit.refused({
    program: 'pman',
    action: head.method,
    caller: { name: undefined, from: head.from ?? [] },
    status: statusOf(error),
    error: codeOf(error),
  });
}

/** What a browser asks before it sends a page's JSON to another origin (Fetch, 3.2.2); it never carries a token. */
function isPreflight({ method, rawHeaders }: RequestHead): boolean {
  if (method !== 'OPTIONS') return false;
  const has = (wanted: string) => rawHeaders.some(([name]) => name.toLowerCase() === wanted);
  return has('origin') && has('access-control-request-method');
}

function preflightReply(head: RequestHead, { pages }: AdmissionOptions): GatewayReply {
  const headers = [...everyAnswer(head, pages), ...PREFLIGHT_HEADERS];
  return { status: 204, headers, body: Buffer.alloc(0) };
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

function closedDoor(
  error: PmanError,
  head: RequestHead,
  sent: Buffer,
  options: AdmissionOptions,
): GatewayReply {
  if (isApiRequest(head.target)) return apiRefusal(error, everyAnswer(head, options.pages));
  const status = statusOf(error);
  const echo = status === 401 ? asSent(head, sent) : {};
  const said = { ...SAYS_NOTHING, ...echo, error: errorMember(error) };
  // A page that may not ask may not read why either.
  const headers =
    status === 403
      ? [['Content-Type', 'application/json'] as const, ...SAFETY_HEADERS]
      : [...jsonHeaders(head, options), ...errorHeaders(error)];
  return { status, headers, body: Buffer.from(dumps(said, REPLY_INDENT), 'latin1') };
}

/** Headers that never hold a secret. */
const OPEN_HEADERS: ReadonlySet<string> = new Set([
  ...[
    'accept',
    'accept-encoding',
    'accept-language',
    'connection',
    'content-length',
    'content-type',
  ],
  ...['expect', 'host', 'transfer-encoding', 'user-agent'],
]);

/** What may be a secret is hidden by its place: to hide tokens by what they are would tell who has guessed one. */
function asSent(head: RequestHead, sent: Buffer) {
  const rawHeaders = head.rawHeaders.map(
    ([name, value]) => [name, OPEN_HEADERS.has(name.toLowerCase()) ? value : MASK] as const,
  );
  const target = head.target.replace(/([?&][^=&]*=)[^&]*/g, `$1${MASK}`);
  const text = isUtf8(sent) ? sent.toString().replace(/\r?\n$/, '') : '';
  const { method, httpVersion, authorization } = head;
  const shown = { method, target, httpVersion, rawHeaders, authorization };
  return echoOf(shown, payloadOf(text), { mask: (value) => value });
}
