import { type Audit, codeOf } from '../access/auditLog.ts';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import type { Door } from '../access/tokenStore.ts';
import type { Services } from '../actions/action.ts';
import { type Soon, whenThere } from '../concurrency/soon.ts';
import {
  type ApiContext,
  type ApiReply,
  type ApiRequest,
  answerApi,
  isApiRequest,
  problemReply,
} from '../dialects/v2/index.ts';
import { PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import { errorHeaders, SAFETY_HEADERS } from '../wire/reply.ts';
import { traceContextIn } from '../wire/traceContext.ts';
import { readApiBody } from './apiBody.ts';
import { sentReply } from './apiReply.ts';
import { deedOf } from './auditEntry.ts';
import { servicesFor } from './callerServices.ts';
import { dispatch } from './dispatch.ts';
import { originForm } from './echo.ts';
import { everyAnswer, type HeaderOptions } from './headers.ts';
import type { Listeners } from './listeners.ts';
import { headerOf } from './negotiation.ts';
import { endWithToken, signalOf } from './revocation.ts';

export interface ApiHandlerOptions extends HeaderOptions {
  readonly services: Services;
  readonly listeners: Listeners;
  readonly door: Door;
  readonly audit: Audit;
}

/**
 * Answers what is for `/api/v2`; undefined for any other request. It takes a listener as long as it works, not while it
 * waits.
 */
export function makeApiHandler(options: ApiHandlerOptions) {
  return (request: GatewayRequest): Soon<GatewayReply> | undefined => {
    const target = originForm(request.target);
    return isApiRequest(target) ? replyTo(request, target, options) : undefined;
  };
}

function replyTo(
  request: GatewayRequest,
  target: string,
  options: ApiHandlerOptions,
): Soon<GatewayReply> {
  const { door, audit, pages } = options;
  let caller: Caller | undefined;
  const jobs: string[] = [];
  const send = (reply: ApiReply, failed?: unknown): Soon<GatewayReply> => {
    if (audit.isSilent !== true) {
      const { status } = reply;
      const error = failed === undefined ? undefined : codeOf(failed);
      const by = caller ?? { name: undefined, from: request.from ?? [] };
      audit.write(deedOf({ method: request.method, target }, by, {}, { status, error, jobs }));
    }
    const more = [...everyAnswer(request, pages), ...errorHeaders(failed)];
    return whenThere(sentReply(reply, request, more), (sent) => {
      if (caller !== undefined) endWithToken(sent, caller);
      return sent;
    });
  };
  const fail = (error: unknown): Soon<GatewayReply> => {
    if (!(error instanceof PmanError)) {
      const stack = error instanceof Error ? error.stack : String(error);
      options.services.log.error('a request failed', { error: stack ?? '' });
    }
    return send(problemReply(error), error);
  };
  let reply: Soon<ApiReply>;
  try {
    const known = door.callerOf(request.authorization, () => request.from ?? []);
    reply = whenThere(known, (one) => {
      caller = one;
      return answer(request, { target, caller: one, jobs, options });
    });
  } catch (error) {
    return fail(error);
  }
  return reply instanceof Promise ? reply.then((made) => send(made), fail) : send(reply);
}

interface Asking {
  readonly target: string;
  readonly caller: Caller;
  /** Is told the jobs that the request is about. */
  readonly jobs: string[];
  readonly options: ApiHandlerOptions;
}

function answer(
  request: GatewayRequest,
  { target, caller, jobs, options: { services, listeners } }: Asking,
): Soon<ApiReply> {
  const seen = servicesFor(services, caller);
  const context: ApiContext = {
    database: seen.database,
    jobs: seen.jobs,
    startedAtMs: seen.startedAtMs,
    limits: seen.settings.limits,
    events: seen.events,
    growth: seen.growth,
    lines: seen.lines,
    webhooks: seen.webhooks,
    auid: caller.grant?.auid,
    openStore: async () => {
      const { scheme, port, folder } = await seen.openFileio({ forever: true, shared: true });
      return { scheme, port, folder };
    },
    permit: (deed) => requireScope(caller, 'pman', deed),
    act: (action, rawMeta, input) => {
      const threaded = rawMeta.threaded === true;
      const trace = traceContextIn(request.rawHeaders);
      const doing = dispatch(seen, { action, rawMeta, threaded }, { caller, trace, input });
      return whenThere(doing, (done) => {
        jobs.push(...(done.jobs ?? []));
        return done;
      });
    },
  };
  const asked = new SeenRequest(request, target, caller);
  const first = listeners.work(request, () => answerApi(asked, context));
  return whenThere(first, (made) => ('later' in made ? made.later() : made));
}

/** The answer to a request of `/api/v2` that is not let in. A page that may not ask may not read why either. */
export function apiRefusal(error: PmanError, more: GatewayReply['headers']): GatewayReply {
  const { status, headers = [], body } = problemReply(error);
  const others = status === 403 ? SAFETY_HEADERS : [...more, ...errorHeaders(error)];
  return { status, headers: [...headers, ...others], body: Buffer.from(JSON.stringify(body)) };
}

/** What a route sees of a request. A class for the sake of its getter: see LocatedCaller. */
class SeenRequest implements ApiRequest {
  readonly method: string;
  readonly target: string;
  readonly #request: GatewayRequest;
  readonly #caller: Caller;
  #signal: AbortSignal | undefined;

  constructor(request: GatewayRequest, target: string, caller: Caller) {
    this.method = request.method;
    this.target = target;
    this.#request = request;
    this.#caller = caller;
  }

  /** Most requests are answered before anybody asks whether their client has gone. */
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#request, this.#caller);
    return this.#signal;
  }

  readonly header = (wanted: string): string | undefined => headerOf(this.#request, wanted);

  readonly body = () => readApiBody(this.#request);
}
