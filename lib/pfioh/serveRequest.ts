import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit, Deed } from '../access/auditLog.ts';
import { ANYBODY } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import { messageOf } from '../errors.ts';
import { YoungGarbage } from '../host/youngGarbage.ts';
import type { Logger } from '../log.ts';
import { VERSION } from '../version.ts';
import { pageHeaders, refuseForeign } from '../wire/foreignPage.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';
import { answerError, tellable } from './answer.ts';
import type { Asked, Context, Handled, RequestContext, Transfer } from './context.ts';
import { requireClearHead } from './earlyRefusals.ts';
import type { Places } from './places.ts';
import { endWithReason } from './pull/endWithReason.ts';
import { route } from './route.ts';

/** How long what a refused client still sends is read, in milliseconds. */
const LINGER_MS = 5000;
/** What an answer has whether it refuses or not. */
const KEPT_HEADERS =
  /^(server|pfioh-version|connection|vary|access-control-allow-origin|x-content-type-options|cache-control)$/;

/** What a request is served with. */
export interface Serving {
  readonly context: Context;
  readonly log: Logger;
  readonly audit: Audit;
}

/**
 * The one place where a request ends: with its answer, or with the answer that says what went wrong.
 * Resolves to whether something was transferred.
 */
export async function serveRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { context, log, audit }: Serving,
): Promise<boolean> {
  const started = performance.now();
  const { remoteAddress: address } = request.socket; // gone once the connection is closed
  const from = address === undefined ? [] : [address];
  const asked: Asked = { caller: { ...ANYBODY, from }, action: '', path: undefined };
  // Whoever reads or writes is told; these may break when nobody does.
  request.on('error', () => {});
  response.on('error', () => {});
  response.setHeader('Server', `pfioh/${VERSION}`);
  response.setHeader('Pfioh-Version', VERSION);
  for (const [name, value] of SAFETY_HEADERS) response.setHeader(name, value);
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.once('finish', resolve);
  });
  let handled: Handled | undefined;
  let transfer: Transfer | undefined;
  let failed: unknown;
  const before = request.socket.bytesWritten;
  const one: RequestContext = {
    ...context,
    asked,
    permit: (...what) => permit(asked, ...what),
    note: (what) => {
      transfer = what;
    },
  };
  try {
    requireClearHead(request, response);
    refuseForeign(request.headers, context.pages);
    for (const [name, value] of pageHeaders(request.headers, context.pages))
      response.setHeader(name, value);
    handled = await route(request, response, one);
  } catch (error) {
    failed = error;
    const { code } = tellable(error);
    log[code === 'internal' ? 'error' : 'warn']('request failed', {
      method: request.method,
      from: address,
      why: messageOf(error),
      // Nobody has thought of it: whoever reads the log wants to know where it was.
      ...(code === 'internal' && error instanceof Error ? { stack: error.stack } : {}),
    });
    endWithError(request, response, error, context.places);
  }
  await ended;
  const { what = 'request', ...noted } = transfer ?? {};
  const moved = what === 'pull' ? { bytes: request.socket.bytesWritten - before } : {};
  writeDeed(audit, request, {
    asked,
    status: response.statusCode,
    error: failed === undefined ? undefined : tellable(failed).code,
    bytes: moved.bytes ?? transfer?.bytes,
  });
  log.info(what, {
    method: request.method,
    from: address,
    status: response.statusCode,
    ...noted,
    ...moved,
    ms: Math.round(performance.now() - started),
    ...(response.writableFinished ? {} : { brokenOff: true }),
  });
  return handled === 'transfer' && response.statusCode < 400;
}

interface Done extends Pick<Deed, 'status' | 'error' | 'bytes'> {
  readonly asked: Asked;
}

/** Writes down what a client did, or was not let do. */
function writeDeed(audit: Audit, request: IncomingMessage, { asked, ...done }: Done): void {
  const { name, from } = asked.caller;
  const { action, path } = asked;
  const isKnown = action !== '';
  const what = isKnown ? action : (request.method ?? '');
  const deed: Deed = { program: 'pfioh', action: what, caller: { name, from }, path, ...done };
  if (isKnown) audit.write(deed);
  else if (request.headers.authorization !== undefined || done.status !== 401) audit.refused(deed);
}

function permit(asked: Asked, action: string, path?: string): void {
  asked.action = action;
  asked.path = path;
  requireScope(asked.caller, 'pfioh', action);
}

function endWithError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  places: Places,
): void {
  try {
    if (!response.headersSent) refuse(request, response, error, places);
    else if (!endWithReason(request, response, error, places)) response.destroy();
  } catch {
    // No answer is possible any more; the client sees a closed connection.
    response.destroy();
  }
}

/** Of all refused requests together. */
const thrownAway = new YoungGarbage();

/**
 * Answers with an error at once. What the client still sends is read and thrown away for a while:
 * closing would reset the connection, and the client would not see the answer.
 */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  places: Places,
): void {
  if (!request.complete) {
    request.unpipe();
    request.on('data', (chunk: Buffer) => thrownAway.passed(chunk.length));
    request.resume();
    const timer = setTimeout(() => request.socket.destroy(), LINGER_MS);
    timer.unref();
    request.once('close', () => clearTimeout(timer));
  }
  for (const name of response.getHeaderNames()) {
    // What was meant for the other answer; `Trailer` would even be an error here.
    if (!KEPT_HEADERS.test(name)) response.removeHeader(name);
  }
  answerError(response, error, places);
}
