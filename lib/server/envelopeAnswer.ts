import { type Audit, codeOf } from '../access/auditLog.ts';
import { type Caller, STRANGER } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import { type Door, MASK, OPEN_DOOR } from '../access/tokenStore.ts';
import type { Services } from '../actions/action.ts';
import { LongWork } from '../concurrency/longWork.ts';
import { type Soon, whenThere } from '../concurrency/soon.ts';
import { inTurns } from '../concurrency/turns.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest, RequestHead } from '../gateway/types.ts';
import { isLargerThan, type JsonValue } from '../wire/json.ts';
import { isTextKept } from '../wire/keptText.ts';
import { type Payload, payloadOf } from '../wire/payload.ts';
import { dumps, dumpsInSteps } from '../wire/pythonJson.ts';
import { errorHeaders, errorMember, REPLY_INDENT, statusOf } from '../wire/reply.ts';
import { traceContextIn } from '../wire/traceContext.ts';
import { deedOf } from './auditEntry.ts';
import { servicesFor } from './callerServices.ts';
import { originForm, tellPayload } from './echo.ts';
import { everyAnswer, type HeaderOptions } from './headers.ts';
import { isHealthCheck } from './healthCheck.ts';
import type { Listeners } from './listeners.ts';
import { isOutput, outputReply } from './rawOutput.ts';
import { inOrder, type Repeated, replyText } from './replyText.ts';
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

/** What is worked out once for all answers. */
export interface AnswerOptions extends EnvelopeOptions {
  /** The header lines of every answer to a request with these. */
  readonly jsonHeaders: (request: RequestHead) => GatewayReply['headers'];
}

/**
 * The answer to one request in the original's envelope: the one place where an error becomes an answer, so that none costs a
 * listener. What can be answered at once is: no promise is made on the way.
 */
export class EnvelopeAnswer {
  readonly #options: AnswerOptions;
  readonly #request: GatewayRequest;
  readonly #payload: Payload;
  readonly #isText: boolean;
  readonly #told: Told = {};
  readonly #pace: LongWork;
  #freeListener = () => {};
  #caller: Caller | undefined;
  #jobs: readonly string[] | undefined;

  /** @param payload undefined when the body is no text */
  constructor(options: AnswerOptions, request: GatewayRequest, payload: Payload | undefined) {
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
    const repeated = { request, payload: this.#payload, door: shownTo(caller, door) };
    const lines = this.#options.jsonHeaders(request);
    const more = errorHeaders(failed);
    const headers = more.length === 0 ? lines : [...lines, ...more];
    // Every character is ASCII: as many characters, so many bytes.
    const send = (json: string | Buffer): GatewayReply => ({
      ...{ status, headers, body: json, bytes: json.length },
    });
    // With tokens, one who has none learns how the server is, and has nothing repeated.
    if (caller === STRANGER && door !== OPEN_DOOR) {
      this.#pace.end();
      return send(dumps(inOrder(undefined, this.#told), REPLY_INDENT));
    }
    if (this.#isShort(repeated)) {
      this.#pace.end();
      return send(replyText(repeated, this.#told));
    }
    const body = inOrder(repeated, this.#told);
    return inTurns(dumpsInSteps(body, REPLY_INDENT), this.#pace.toTheEnd())
      .finally(() => this.#pace.end())
      .then(send);
  }

  #isShort(repeated: Repeated): boolean {
    const { d_ret: result = null, GET: found = null } = this.#told;
    // A list is made an entry at a time, while it is written.
    if (found instanceof Map) return false;
    if (this.#payload.characters > SHORT_REQUEST) {
      return !isLargerThan(inOrder(repeated, this.#told) as JsonValue, SHORT);
    }
    if (!isTextKept(result) && isLargerThan(result, SHORT)) return false;
    return found === null || !isLargerThan(found as JsonValue, SHORT);
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
