import type { Services } from '../actions/action.ts';
import {
  type ApiReply,
  type ApiRequest,
  isApiRequest,
  makeApi,
  problemReply,
} from '../dialects/v2/index.ts';
import { PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import { readPayload } from '../wire/payload.ts';
import { plainNumbers } from '../wire/plainNumbers.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';
import { originForm } from './echo.ts';
import { everyAnswer, type HeaderOptions } from './headers.ts';
import type { Listeners } from './listeners.ts';

/**
 * Answers what is for `/api/v2`; undefined for any other request. It takes a listener as long as it works, not while it
 * waits.
 */
export function makeApiHandler({
  services,
  listeners,
  pages,
}: HeaderOptions & { readonly services: Services; readonly listeners: Listeners }) {
  const { database, jobs, events, settings, log } = services;
  const api = makeApi({ database, jobs, events, killGraceMs: settings.killGraceMs }, (error) => {
    if (error instanceof PmanError) return;
    const stack = error instanceof Error ? error.stack : String(error);
    log.error('a request failed', { error: stack ?? '' });
  });
  return async (request: GatewayRequest): Promise<GatewayReply | undefined> => {
    const target = originForm(request.target);
    if (!isApiRequest(target)) return undefined;
    const answer = await listeners.work(request.signal, () => api(apiRequest(request, target)));
    const reply = 'later' in answer ? await answer.later() : answer;
    return toGateway(reply, everyAnswer(request, pages));
  };
}

/** The answer to a request of `/api/v2` that is not let in. A page that may not ask may not read why either. */
export function apiRefusal(error: PmanError, more: GatewayReply['headers']): GatewayReply {
  const said = problemReply(error);
  if (said.status === 403) return toGateway(said, SAFETY_HEADERS);
  return toGateway(said, [...more, ['WWW-Authenticate', 'Bearer']]);
}

function apiRequest(
  { method, rawHeaders, body, signal }: GatewayRequest,
  target: string,
): ApiRequest {
  return {
    ...{ method, target, signal },
    header: (wanted) => rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1],
    json: async () => {
      const payload = await readPayload(body);
      if (payload === undefined) throw new PmanError('bad_request', 'the body is not UTF-8 text');
      return payload.isBlank ? undefined : plainNumbers(await payload.json());
    },
  };
}

function toGateway(
  { status, headers = [], body, stream }: ApiReply,
  more: GatewayReply['headers'],
): GatewayReply {
  if (stream !== undefined) return { status, headers: [...headers, ...more], body: stream };
  if (body === undefined) return { status, headers: [...headers, ...more], body: Buffer.alloc(0) };
  const hasType = headers.some(([name]) => name === 'Content-Type');
  const type = hasType ? [] : [['Content-Type', 'application/json'] as const];
  const bytes = Buffer.from(JSON.stringify(body));
  return { status, headers: [...type, ...headers, ...more], body: bytes };
}
