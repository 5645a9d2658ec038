import { type Audit, codeOf } from '../access/auditLog.ts';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import type { Door } from '../access/tokenStore.ts';
import { problemReply } from '../dialects/v2/index.ts';
import { PmanError } from '../errors.ts';
import type { GatewayReply, GatewayRequest } from '../gateway/types.ts';
import type { Exposition } from '../metrics/exposition.ts';
import { errorHeaders, SAFETY_HEADERS } from '../wire/reply.ts';
import { deedOf } from './auditEntry.ts';
import { originForm } from './echo.ts';
import { everyAnswer, type HeaderOptions } from './headers.ts';
import { headerOf } from './negotiation.ts';

export interface MetricsOptions extends HeaderOptions {
  readonly door: Door;
  readonly audit: Audit;
  readonly metrics: (accept: string | undefined) => Promise<Exposition>;
}

/**
 * Answers `GET /metrics`; undefined for any other request. It takes no listener: an operator looks when all are busy. What is
 * answered is not written to the audit log, for it is asked for every few seconds; refusals are.
 */
export function metricsReply(
  request: GatewayRequest,
  options: MetricsOptions,
): Promise<GatewayReply> | undefined {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const target = originForm(request.target);
  return /^\/metrics(\?|$)/.test(target) ? figures(request, target, options) : undefined;
}

async function figures(
  request: GatewayRequest,
  target: string,
  { door, audit, metrics, pages }: MetricsOptions,
): Promise<GatewayReply> {
  const { method } = request;
  let caller: Caller | undefined;
  try {
    caller = await door.callerOf(request.authorization, () => request.from ?? []);
    requireScope(caller, 'pman', 'metrics');
    requireAll(caller);
    const { type, text } = await metrics(headerOf(request, 'accept'));
    const headers = [['Content-Type', type] as const, ...everyAnswer(request, pages)];
    return { status: 200, headers, body: Buffer.from(text) };
  } catch (error) {
    if (!(error instanceof PmanError)) throw error;
    const { status, headers = [], body } = problemReply(error);
    const by = caller ?? { name: undefined, from: request.from ?? [] };
    audit.write(deedOf({ method, target }, by, {}, { status, error: codeOf(error), jobs: [] }));
    return {
      ...{ status, headers: [...headers, ...errorHeaders(error), ...SAFETY_HEADERS] },
      body: Buffer.from(JSON.stringify(body)),
    };
  }
}

/** @throws PmanError forbidden for a token that sees the jobs of one auid alone: the figures are of all jobs */
function requireAll({ name, grant }: Caller): void {
  if (grant?.auid === undefined) return;
  throw new PmanError('forbidden', `metrics: the token ${name} sees the jobs of one auid alone`, {
    hint: 'the figures are of the jobs of all',
  });
}
