import { type Audit, codeOf } from '../access/auditLog.ts';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import type { Door } from '../access/tokenStore.ts';
import type { Services } from '../actions/action.ts';
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
  return (request: GatewayRequest): Promise<GatewayReply> | undefined => {
    const target = originForm(request.target);
    return isApiRequest(target) ? replyTo(request, target, options) : undefined;
  };
}

async function replyTo(
  request: GatewayRequest,
  target: string,
  options: ApiHandlerOptions,
): Promise<GatewayReply> {
  const { door, audit, pages } = options;
  let caller: Caller | undefined;
  const jobs: string[] = [];
  let failed: unknown;
  let reply: ApiReply;
  try {
    caller = await door.callerOf(request.authorization, () => request.from ?? []);
    reply = await answer(request, { target, caller, jobs, options });
  } catch (error) {
    failed = error;
    reply = problemReply(error);
    if (!(error instanceof PmanError)) {
      const stack = error instanceof Error ? error.stack : String(error);
      options.services.log.error('a request failed', { error: stack ?? '' });
    }
  }
  const { status } = reply;
  const error = failed === undefined ? undefined : codeOf(failed);
  const by = caller ?? { name: undefined, from: request.from ?? [] };
  audit.write(deedOf({ method: request.method, target }, by, {}, { status, error, jobs }));
  const sent = await sentReply(reply, request, [
    ...everyAnswer(request, pages),
    ...errorHeaders(failed),
  ]);
  if (caller !== undefined) endWithToken(sent, caller);
  return sent;
}

interface Asking {
  readonly target: string;
  readonly caller: Caller;
  /** Is told the jobs that the request is about. */
  readonly jobs: string[];
  readonly options: ApiHandlerOptions;
}

async function answer(
  request: GatewayRequest,
  { target, caller, jobs, options: { services, listeners } }: Asking,
): Promise<ApiReply> {
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
    act: async (action, rawMeta, input) => {
      const threaded = rawMeta.threaded === true;
      const trace = traceContextIn(request.rawHeaders);
      const done = await dispatch(seen, { action, rawMeta, threaded }, { caller, trace, input });
      jobs.push(...(done.jobs ?? []));
      return done;
    },
  };
  const asked = apiRequest(request, target, caller);
  const first = await listeners.work(request, () => answerApi(asked, context));
  return 'later' in first ? first.later() : first;
}

/** The answer to a request of `/api/v2` that is not let in. A page that may not ask may not read why either. */
export function apiRefusal(error: PmanError, more: GatewayReply['headers']): GatewayReply {
  const { status, headers = [], body } = problemReply(error);
  const others = status === 403 ? SAFETY_HEADERS : [...more, ...errorHeaders(error)];
  return { status, headers: [...headers, ...others], body: Buffer.from(JSON.stringify(body)) };
}

function apiRequest(request: GatewayRequest, target: string, caller: Caller): ApiRequest {
  const { method, rawHeaders } = request;
  let signal: AbortSignal | undefined;
  return {
    method,
    target,
    // Most requests are answered before anybody asks whether their client has gone.
    get signal() {
      signal ??= signalOf(request, caller);
      return signal;
    },
    header: (wanted) => rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1],
    body: () => readApiBody(request),
  };
}
