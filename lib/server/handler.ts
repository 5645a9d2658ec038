import { type Audit, codeOf } from '../access/auditLog.ts';
import { type Caller, STRANGER } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import { type Door, MASK } from '../access/tokenStore.ts';
import type { Services } from '../actions/action.ts';
import { LongWork } from '../concurrency/longWork.ts';
import { inTurns } from '../concurrency/turns.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest, RequestHandler } from '../gateway/types.ts';
import type { Exposition } from '../metrics/exposition.ts';
import { cutJson, cutText } from '../wire/cut.ts';
import { isLargerThan, type JsonValue } from '../wire/json.ts';
import { payloadOf, readPayload } from '../wire/payload.ts';
import { dumps, dumpsInSteps } from '../wire/pythonJson.ts';
import {
  errorHeaders,
  errorMember,
  REPLY_INDENT,
  type ReplyBody,
  statusOf,
} from '../wire/reply.ts';
import { traceContextIn } from '../wire/traceContext.ts';
import { makeApiHandler } from './apiHandler.ts';
import { deedOf } from './auditEntry.ts';
import { servicesFor } from './callerServices.ts';
import { echoOf, originForm, payloadEcho } from './echo.ts';
import { everyAnswer, type HeaderOptions, jsonHeaders } from './headers.ts';
import { isHealthCheck } from './healthCheck.ts';
import type { Listeners } from './listeners.ts';
import { metricsReply } from './metricsReply.ts';
import { pagePathIn, pageReply } from './pageReply.ts';
import { isOutput, outputReply } from './rawOutput.ts';
import { probeIn, probeReply } from './readiness.ts';
import { endWithToken, signalOf } from './revocation.ts';
import { obey, type Told } from './verbs.ts';

export interface HandlerOptions extends HeaderOptions {
  readonly services: Services;
  readonly listeners: Listeners;
  /**
   * Whether a request is let in has been decided by its head (see makeAdmission). It is asked again: the token may have been
   * revoked while the body came.
   */
  readonly door: Door;
  readonly audit: Audit;
  /** The figures for operators, in the form that is accepted. */
  readonly metrics: (accept: string | undefined) => Promise<Exposition>;
  /** Why the server should get no requests now; undefined when it may. */
  readonly isReady: () => Promise<string | undefined>;
}

/** From a request that was let in to its reply: the one place where an error becomes an answer, so that none costs a listener. */
export function makeHandler(options: HandlerOptions): RequestHandler {
  const { services, listeners, door, audit, pages } = options;
  const answerApi = makeApiHandler(options);
  return async (request) => {
    const probe = probeIn(request);
    if (probe !== undefined) {
      return probeReply(probe === 'readyz' ? await options.isReady() : undefined);
    }
    const page = pagePathIn(request);
    if (page !== undefined) return pageReply(page, request);
    const reply = metricsReply(request, options) ?? answerApi(request);
    if (reply !== undefined) return reply;
    const read = await readPayload(request.body);
    const payload = read ?? payloadOf('');
    const told: Told = {};
    let httpStatus = 200;
    let failed: unknown;
    let caller: Caller | undefined;
    let jobs: readonly string[] | undefined;
    const target = originForm(request.target);
    let freeListener = () => {};
    const pace = new LongWork({ client: request, onPause: () => freeListener() });
    try {
      caller = isHealthCheck(request)
        ? STRANGER
        : await door.callerOf(request.authorization, () => request.from ?? []);
      const seen = servicesFor(services, caller);
      if (isOutput(request)) {
        requireScope(caller, 'pman', 'GET');
        const output = await outputReply(seen, request, signalOf(request, caller));
        const { status } = output;
        audit.write(deedOf({ method: request.method, target }, caller, told, { status }));
        endWithToken(output, caller);
        return withHeaders(output, everyAnswer(request, pages));
      }
      Object.assign(told, payloadEcho(payload, shownTo(caller, door)));
      if (read === undefined) throw new BadRequestError('the body is not UTF-8 text');
      const { method } = request;
      const trace = traceContextIn(request.rawHeaders);
      const asked = { method, target, payload, pace, caller, trace };
      const done = await listeners.work(request, (release) => {
        freeListener = release;
        return obey(seen, asked, told);
      });
      jobs = done.jobs;
      if (done.after !== undefined) await unlessGone(done.after, request.signal, caller.revoked);
    } catch (error) {
      failed = error;
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
    const by = caller ?? { name: undefined, from: request.from ?? [] };
    const error = failed === undefined ? undefined : codeOf(failed);
    const { method } = request;
    if (caller !== STRANGER) {
      audit.write(deedOf({ method, target }, by, told, { status: httpStatus, error, jobs }));
    }
    const echo = echoOf(request, payload, shownTo(caller, door));
    try {
      return await toReply(inOrder(echo, told), {
        status: httpStatus,
        failed,
        request,
        options,
        pace,
      });
    } finally {
      pace.end();
    }
  };
}

/** What a caller may see of what it has sent: no token, also not one that only it knows. */
function shownTo(caller: Caller | undefined, door: Door): Pick<Door, 'mask'> {
  const secret = caller?.secret;
  if (secret === undefined) return door;
  return { mask: (text) => door.mask(text.replaceAll(secret, MASK)) };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The members in the order of protocol a.4; those that are undefined are not written. */
function inOrder(echo: ReturnType<typeof echoOf>, told: Told): { [K in keyof ReplyBody]: unknown } {
  return {
    status: told.status ?? false,
    RESTheader: echo.RESTheader,
    RESTverb: echo.RESTverb,
    action: cutText(told.action ?? ''),
    path: echo.path,
    receivedByServer: echo.receivedByServer,
    GET: told.GET,
    total: told.total,
    limit: told.limit,
    next: told.next,
    client_json_payload: told.client_json_payload,
    client_json_len: told.client_json_len,
    payloadsize: told.payloadsize,
    meta: told.meta === undefined ? undefined : cutJson(told.meta),
    d_ret: told.d_ret,
    error: told.error,
    warnings: told.warnings,
  };
}

interface Replying {
  readonly status: number;
  readonly failed: unknown;
  readonly request: GatewayRequest;
  readonly options: HandlerOptions;
  readonly pace: LongWork;
}

/** An answer beyond these is written in turns with other work. */
const SHORT = { maxCharacters: 256 * 1024, maxValues: 5000 } as const;

async function toReply(
  body: ReturnType<typeof inOrder>,
  { status, failed, request, options, pace }: Replying,
): Promise<GatewayReply> {
  // Every character is ASCII: as many characters, so many bytes.
  const isLong = body.GET instanceof Map && body.GET.size > SHORT.maxValues / 10;
  const json =
    isLong || isLargerThan(body as JsonValue, SHORT)
      ? await inTurns(dumpsInSteps(body, REPLY_INDENT), pace.toTheEnd())
      : dumps(body as JsonValue, REPLY_INDENT);
  return {
    status,
    headers: [
      ['Content-Length', String(json.length)],
      ...jsonHeaders(request, options),
      ...errorHeaders(failed),
    ],
    body: json,
  };
}

function withHeaders(reply: GatewayReply, more: GatewayReply['headers']): GatewayReply {
  return { ...reply, headers: [...reply.headers, ...more] };
}

/** Waits for what an answer waits for, as long as there is somebody to answer to who may know. */
async function unlessGone(
  work: Promise<unknown>,
  signal: AbortSignal,
  revoked: AbortSignal | undefined,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const leave = () => reject(new PmanError('busy', 'the client went away'));
    const refuse = () => reject(new PmanError('unauthorized', 'the token is no longer good'));
    const forget = [onAbort(signal, leave), ...(revoked ? [onAbort(revoked, refuse)] : [])];
    void work
      .then(() => resolve(), reject)
      .finally(() => {
        for (const release of forget) release();
      });
  });
}

/** @returns what makes it forget */
function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
  return () => signal.removeEventListener('abort', act);
}
