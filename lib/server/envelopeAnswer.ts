import { type Audit, codeOf } from '../access/auditLog.ts';
import { type Caller, STRANGER } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import { type Door, MASK } from '../access/tokenStore.ts';
import type { Services } from '../actions/action.ts';
import { LongWork } from '../concurrency/longWork.ts';
import { type Soon, whenThere } from '../concurrency/soon.ts';
import { inTurns } from '../concurrency/turns.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import { cutJson, cutText } from '../wire/cut.ts';
import { isLargerThan, type JsonValue } from '../wire/json.ts';
import { type Payload, payloadOf } from '../wire/payload.ts';
import { dumps, dumpsInSteps } from '../wire/pythonJson.ts';
import {
  errorHeaders,
  errorMember,
  REPLY_INDENT,
  type ReplyBody,
  statusOf,
} from '../wire/reply.ts';
import { traceContextIn } from '../wire/traceContext.ts';
import { deedOf } from './auditEntry.ts';
import { servicesFor } from './callerServices.ts';
import { echoOf, originForm, tellPayload } from './echo.ts';
import { everyAnswer, type HeaderOptions, jsonHeaders } from './headers.ts';
import { isHealthCheck } from './healthCheck.ts';
import type { Listeners } from './listeners.ts';
import { isOutput, outputReply } from './rawOutput.ts';
import { endWithToken, signalOf } from './revocation.ts';
import { type Done, obey, type Told } from './verbs.ts';

export interface EnvelopeOptions extends HeaderOptions {
  readonly services: Services;
  readonly listeners: Listeners;
  /**
   * Whether a request is let in has been decided by its head (see makeAdmission). It is asked again: the token may have been
   * revoked while the body came.
   */
  readonly door: Door;
  readonly audit: Audit;
}

/**
 * The answer to one request in the original's envelope: the one place where an error becomes an answer, so that none costs a
 * listener. What can be answered at once is: no promise is made on the way.
 */
export class EnvelopeAnswer {
  readonly #options: EnvelopeOptions;
  readonly #request: GatewayRequest;
  readonly #payload: Payload;
  readonly #isText: boolean;
  readonly #told: Told = {};
  readonly #pace: LongWork;
  #freeListener = () => {};
  #caller: Caller | undefined;
  #jobs: readonly string[] | undefined;

  /** @param payload undefined when the body is no text */
  constructor(options: EnvelopeOptions, request: GatewayRequest, payload: Payload | undefined) {
    this.#options = options;
    this.#request = request;
    this.#payload = payload ?? payloadOf('');
    this.#isText = payload !== undefined;
    this.#pace = new LongWork({ client: request, onPause: () => this.#freeListener() });
  }

  /** Does what the request asks for, and tells. */
  make(): Soon<GatewayReply> {
    let done: Soon<GatewayReply | undefined>;
    try {
      const { door } = this.#options;
      const request = this.#request;
      const caller = isHealthCheck(request)
        ? STRANGER
        : door.callerOf(request.authorization, () => request.from ?? []);
      done = whenThere(caller, (known) => this.#workFor(known));
    } catch (error) {
      return this.#failed(error);
    }
    if (!(done instanceof Promise)) return done ?? this.#reply(200);
    return done.then(
      (output) => output ?? this.#reply(200),
      (error: unknown) => this.#failed(error),
    );
  }

  /** Gives the answer itself when that is an output; else it is made of what is told. */
  #workFor(caller: Caller): Soon<GatewayReply | undefined> {
    this.#caller = caller;
    const { services, door, listeners } = this.#options;
    const request = this.#request;
    const payload = this.#payload;
    if (isOutput(request)) return this.#output(caller);
    tellPayload(payload, shownTo(caller, door), this.#told);
    if (!this.#isText) throw new BadRequestError('the body is not UTF-8 text');
    const asked = {
      method: request.method,
      target: originForm(request.target),
      payload,
      caller,
      pace: this.#pace,
      trace: traceContextIn(request.rawHeaders),
    };
    const seen = servicesFor(services, caller);
    const done = listeners.work(request, (release) => {
      this.#freeListener = release;
      return obey(seen, asked, this.#told);
    });
    return whenThere(done, (left) => this.#finish(left, caller));
  }

  async #output(caller: Caller): Promise<GatewayReply> {
    const { services, audit, pages } = this.#options;
    const request = this.#request;
    requireScope(caller, 'pman', 'GET');
    const seen = servicesFor(services, caller);
    const output = await outputReply(seen, request, signalOf(request, caller));
    const { status } = output;
    const target = originForm(request.target);
    audit.write(deedOf({ method: request.method, target }, caller, this.#told, { status }));
    endWithToken(output, caller);
    return { ...output, headers: [...output.headers, ...everyAnswer(request, pages)] };
  }

  #finish({ after, jobs }: Done, { revoked }: Caller): Soon<undefined> {
    this.#jobs = jobs;
    return after === undefined ? undefined : unlessGone(after, this.#request.signal, revoked);
  }

  #failed(error: unknown): Soon<GatewayReply> {
    const told = this.#told;
    told.status = false;
    told.error = errorMember(error);
    if (!(error instanceof PmanError)) {
      this.#options.services.log.error('a request failed', {
        action: told.action ?? '',
        error: stackOf(error),
      });
    }
    return this.#reply(statusOf(error), error);
  }

  #reply(status: number, failed?: unknown): Soon<GatewayReply> {
    const { audit, door } = this.#options;
    const request = this.#request;
    const { method } = request;
    const caller = this.#caller;
    if (caller !== STRANGER && audit.isSilent !== true) {
      const by = caller ?? { name: undefined, from: request.from ?? [] };
      const target = originForm(request.target);
      const error = failed === undefined ? undefined : codeOf(failed);
      audit.write(deedOf({ method, target }, by, this.#told, { status, error, jobs: this.#jobs }));
    }
    const echo = echoOf(request, this.#payload, shownTo(caller, door));
    const body = inOrder(echo, this.#told);
    const send = (json: string | Buffer): GatewayReply => ({
      status,
      headers: [
        ['Content-Length', String(json.length)],
        ...jsonHeaders(request, this.#options),
        ...errorHeaders(failed),
      ],
      body: json,
    });
    // Every character is ASCII: as many characters, so many bytes.
    if (this.#isShort(body)) {
      this.#pace.end();
      return send(dumps(body, REPLY_INDENT));
    }
    return inTurns(dumpsInSteps(body, REPLY_INDENT), this.#pace.toTheEnd())
      .finally(() => this.#pace.end())
      .then(send);
  }

  #isShort(body: ReturnType<typeof inOrder>): boolean {
    const { d_ret: result = null, GET: found = null } = this.#told;
    // A list is made an entry at a time, while it is written.
    if (found instanceof Map) return false;
    if (this.#payload.characters > SHORT_REQUEST) return !isLargerThan(body as JsonValue, SHORT);
    return !isLargerThan(result, SHORT) && !isLargerThan(found as JsonValue, SHORT);
  }
}

/** Of a request up to here, in characters, the echo is short. */
const SHORT_REQUEST = 16 * 1024;
/** An answer beyond these is written in turns with other work. */
const SHORT = { maxCharacters: 256 * 1024, maxValues: 5000 } as const;

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

/** Waits for what an answer waits for, as long as there is somebody to answer to who may know. */
async function unlessGone(
  work: Promise<unknown>,
  signal: AbortSignal,
  revoked: AbortSignal | undefined,
): Promise<undefined> {
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
