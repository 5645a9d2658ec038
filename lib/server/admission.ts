import { type Audit, codeOf } from '../access/auditLog.ts';
import type { Door } from '../access/tokenStore.ts';
import { isApiRequest } from '../dialects/v2/index.ts';
import { PmanError } from '../errors.ts';
import type { Admission, GatewayReply, RequestHead } from '../gateway/types.ts';
import { PREFLIGHT_HEADERS, refuseForeign } from '../wire/foreignPage.ts';
import { dumps } from '../wire/pythonJson.ts';
import {
  errorHeaders,
  errorMember,
  REPLY_INDENT,
  SAFETY_HEADERS,
  statusOf,
} from '../wire/reply.ts';
import { apiRefusal } from './apiHandler.ts';
import { byLines } from './byLines.ts';
import { everyAnswer, type HeaderOptions, jsonHeaders, pageOf } from './headers.ts';
import { isHealthCheck } from './healthCheck.ts';
import { isVisit, pagePathIn } from './pageReply.ts';
import { probeIn } from './readiness.ts';
import { inOrder } from './replyText.ts';

export interface AdmissionOptions extends HeaderOptions {
  readonly door: Door;
  readonly audit: Audit;
}

/**
 * Decides by a request's head, before its body is read, whether it is let in. What is not let in costs no listener, and
 * its answer repeats nothing of it: nobody learns from an answer what the server knows, or has somebody else read what
 * they sent.
 */
export function makeAdmission(options: AdmissionOptions): Admission {
  const { door, pages } = options;
  const refusal = (error: unknown, head: RequestHead): GatewayReply => {
    if (!(error instanceof PmanError)) throw error;
    writeRefusal(error, head, options);
    return closedDoor(error, head, options);
  };
  const senderOf = byLines(pageOf);
  const refuseForeigners = byLines((head) => {
    refuseForeign(senderOf(head), pages);
    return LET_IN;
  });
  return (head) => {
    try {
      if (probeIn(head) !== undefined) return undefined;
      const page = pagePathIn(head);
      // Who follows a link to the page gets its files, which hold nothing. What it then asks is of its own origin.
      const isVisitor = page !== undefined && isVisit(head);
      if (isVisitor) refuseForeign({ host: senderOf(head).host }, pages);
      else refuseForeigners(head);
      if (isPreflight(head)) return preflightReply(head, options);
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

/** There is nothing to be said. */
const LET_IN = {};

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

function closedDoor(error: PmanError, head: RequestHead, options: AdmissionOptions): GatewayReply {
  if (isApiRequest(head.target)) return apiRefusal(error, everyAnswer(head, options.pages));
  const status = statusOf(error);
  const said = inOrder(undefined, { status: false, error: errorMember(error) });
  // A page that may not ask may not read why either.
  const headers =
    status === 403
      ? [['Content-Type', 'application/json'] as const, ...SAFETY_HEADERS]
      : [...jsonHeaders(head, options), ...errorHeaders(error)];
  return { status, headers, body: Buffer.from(dumps(said, REPLY_INDENT), 'latin1') };
}
