import type { Services } from '../actions/action.ts';
import { LongWork } from '../concurrency/longWork.ts';
import { inTurns } from '../concurrency/turns.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest, RequestHandler } from '../gateway/types.ts';
import { cutJson, cutText } from '../wire/cut.ts';
import { isLargerThan, type JsonValue } from '../wire/json.ts';
import { payloadOf, readPayload } from '../wire/payload.ts';
import { dumps, dumpsInSteps } from '../wire/pythonJson.ts';
import { errorMember, REPLY_INDENT, type ReplyBody, statusOf } from '../wire/reply.ts';
import type { Authenticator } from './auth.ts';
import { echoOf, originForm, payloadEcho } from './echo.ts';
import { everyAnswer, type HeaderOptions, jsonHeaders } from './headers.ts';
import type { Listeners } from './listeners.ts';
import { outputReply } from './rawOutput.ts';
import { obey, type Told } from './verbs.ts';

export interface HandlerOptions extends HeaderOptions {
  readonly services: Services;
  readonly listeners: Listeners;
  /** Knows what must not be shown. Whether a request is let in has been decided before: see makeAdmission. */
  readonly authenticator: Authenticator;
}

/** From a request that was let in to its reply: the one place where an error becomes an answer, so that none costs a listener. */
export function makeHandler(options: HandlerOptions): RequestHandler {
  const { services, listeners, authenticator, pages } = options;
  return async (request) => {
    const read = await readPayload(request.body);
    const payload = read ?? payloadOf('');
    const echo = echoOf(request, payload, authenticator);
    const told: Told = {};
    let httpStatus = 200;
    let freeListener = () => {};
    const pace = new LongWork({ signal: request.signal, onPause: () => freeListener() });
    try {
      const output = await outputReply(services, request);
      if (output !== undefined) return withHeaders(output, everyAnswer(request, pages));
      Object.assign(told, payloadEcho(payload, authenticator));
      if (read === undefined) throw new BadRequestError('the body is not UTF-8 text');
      const { method } = request;
      const target = originForm(request.target);
      const { after } = await listeners.work(request.signal, (release) => {
        freeListener = release;
        return obey(services, { method, target, payload, pace }, told);
      });
      if (after !== undefined) await unlessGone(after, request.signal);
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
    try {
      return await toReply(inOrder(echo, told), httpStatus, { request, options, pace });
    } finally {
      pace.end();
    }
  };
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
  readonly request: GatewayRequest;
  readonly options: HandlerOptions;
  readonly pace: LongWork;
}

/** An answer beyond these is written in turns with other work. */
const SHORT = { maxCharacters: 256 * 1024, maxValues: 5000 } as const;

async function toReply(
  body: ReturnType<typeof inOrder>,
  status: number,
  { request, options, pace }: Replying,
): Promise<GatewayReply> {
  // Every character is ASCII, so that one byte each is enough.
  const bytes = isLargerThan(body as JsonValue, SHORT)
    ? await inTurns(dumpsInSteps(body, REPLY_INDENT), pace.toTheEnd())
    : Buffer.from(dumps(body as JsonValue, REPLY_INDENT), 'latin1');
  return {
    status,
    headers: [['Content-Length', String(bytes.length)], ...jsonHeaders(request, options)],
    body: bytes,
  };
}

function withHeaders(reply: GatewayReply, more: GatewayReply['headers']): GatewayReply {
  return { ...reply, headers: [...reply.headers, ...more] };
}

/** Waits for what an answer waits for, as long as there is somebody to answer to. */
async function unlessGone(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const leave = () => reject(new PmanError('busy', 'the client went away'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    void work
      .then(() => resolve(), reject)
      .finally(() => signal.removeEventListener('abort', leave));
  });
}
