import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Audit, type Deed, NO_AUDIT } from '../access/auditLog.ts';
import { ANYBODY } from '../access/caller.ts';
import { requireScope } from '../access/scopes.ts';
import { type Door, OPEN_DOOR } from '../access/tokenStore.ts';
import { messageOf, PmanError, UsageError } from '../errors.ts';
import { listenFailure } from '../host/listenFailure.ts';
import type { TlsFiles } from '../host/tlsFiles.ts';
import { YoungGarbage } from '../host/youngGarbage.ts';
import type { Logger } from '../log.ts';
import { pathState, provideFolder } from '../transfer/pathState.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from '../transfer/unpackLimits.ts';
import { VERSION } from '../version.ts';
import { pageHeaders, refuseForeign } from '../wire/foreignPage.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';
import { answerError, tellable } from './answer.ts';
import type { Asked, Context, Handled, RequestContext, Transfer } from './context.ts';
import { answerEarlyRefusals, requireHost } from './earlyRefusals.ts';
import { DEFAULT_IDLE_MS, limitSilence, sayAlive } from './patience.ts';
import { Places } from './places.ts';
import { route } from './route.ts';
import { oneByOne } from './sentAhead.ts';

export interface FileServerOptions {
  readonly ip: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Serve until closed; else exactly one request, or one transfer. */
  readonly forever: boolean;
  /** Without `forever`: end with the first push, pull or copy that succeeds; checks and messages do not count. */
  readonly oneTransfer?: boolean;
  /** Undefined opens the whole file system. */
  readonly storeBase?: string | undefined;
  readonly createDirs?: boolean;
  /** Decides who is let in; default: everybody is. */
  readonly door?: Door | undefined;
  readonly audit?: Audit | undefined;
  /** What web pages may ask, and under which names; see refuseForeign. Default: none but its own. */
  readonly allowOrigins?: readonly string[];
  readonly allowHosts?: readonly string[];
  /** Speaks TLS with these. */
  readonly tls?: TlsFiles | undefined;
  readonly limits?: UnpackLimits;
  /** How long nothing may move on a connection; 0: for ever. */
  readonly idleMs?: number;
  readonly log: Logger;
}

/** A running file server. */
export interface FileServer {
  readonly address: string;
  readonly port: number;
  /** Resolves when the server has ended: closed, told to quit, or after its one request. */
  readonly done: Promise<void>;
  /** Stops listening and waits for the requests under way; a second call drops them. */
  close(): Promise<void>;
}

const LINGER_MS = 5000;
/** After so long the system asks whether the other machine is still there. */
const PROBE_MS = 15_000;
/** What an answer has whether it refuses or not. */
const KEPT_HEADERS =
  /^(server|pfioh-version|connection|vary|access-control-allow-origin|x-content-type-options|cache-control)$/;

/**
 * Starts a file server.
 * @throws UsageError when the address cannot be listened on, or the store is no folder and may not be made
 */
export async function startFileServer(options: FileServerOptions): Promise<FileServer> {
  const { log, forever, oneTransfer = false, ip, port } = options;
  checkStore(options);
  const abort = new AbortController();
  const settings = {
    keepAlive: true,
    keepAliveInitialDelay: PROBE_MS,
    requireHostHeader: false,
  } as const;
  const server =
    options.tls === undefined ? createServer(settings) : secureServer(options.tls, settings);
  let closing = false;
  const close = async () => {
    if (closing) {
      abort.abort(new Error('the server was stopped'));
      server.closeAllConnections();
    } else if (server.listening) {
      closing = true;
      server.close();
      server.closeIdleConnections();
    }
    await done;
  };
  const context: Context = {
    places: new Places(options.storeBase),
    createDirs: options.createDirs ?? false,
    door: options.door ?? OPEN_DOOR,
    pages: {
      allowOrigins: options.allowOrigins ?? [],
      allowHosts: options.allowHosts ?? [],
      hasTokens: options.door !== undefined,
      hasTls: options.tls !== undefined,
    },
    limits: options.limits ?? DEFAULT_LIMITS,
    signal: abort.signal,
    quit: () => void close(),
  };
  let taken = false;
  const watch = limitSilence(server, options.idleMs ?? DEFAULT_IDLE_MS);
  const noteAnswer = answerEarlyRefusals(server);
  const answer = oneByOne((request, response) => {
    noteAnswer(request, response);
    watch(request, response);
    sayAlive(request, response);
    if (closing || (taken && !forever && !oneTransfer)) response.setHeader('Connection', 'close');
    taken = true;
    void serve(request, response, { context, log, audit: options.audit ?? NO_AUDIT }).then(
      (transferred) => {
        if (!forever && (transferred || !oneTransfer)) void close();
      },
    );
  });
  server.on('request', answer);
  const done = new Promise<void>((resolve) => server.once('close', resolve));
  server.once('close', () => options.tls?.close());
  configure(server);
  const bound = await listen(server, ip, port);
  // Of a connection that could not be taken, for one: the others go on.
  server.on('error', (error) => log.warn('the server has trouble', { why: messageOf(error) }));
  return { address: bound.address, port: bound.port, done, close };
}

/** How long a client may take to begin to speak TLS. */
const HANDSHAKE_MS = 10_000;

function secureServer(tls: TlsFiles, probes: ServerOptions): SecureServer {
  const server = createSecureServer({
    ...probes,
    ...tls.material.options,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_MS,
    requestCert: tls.wantsClientCert,
    rejectUnauthorized: tls.wantsClientCert,
  });
  tls.onChange(({ options }) => server.setSecureContext(options));
  return server;
}

function checkStore({ storeBase, createDirs = false }: FileServerOptions): void {
  if (storeBase === undefined) return;
  try {
    const { status, isdir } = pathState(storeBase);
    if (isdir) return;
    if (status) {
      throw new UsageError(`--storeBase ${storeBase} is no folder`, { hint: 'name a folder' });
    }
    if (createDirs) {
      provideFolder(storeBase);
      return;
    }
  } catch (cause) {
    if (cause instanceof PmanError) {
      throw new UsageError(`--storeBase: ${cause.message}`, { cause });
    }
    throw cause;
  }
  throw new UsageError(`--storeBase ${storeBase} is not there`, {
    hint: 'make it, or start with --createDirsAsNeeded',
  });
}

function configure(server: Server | SecureServer): void {
  // Node would end a request after five minutes, however well it gets on.
  server.requestTimeout = 0;
  server.keepAliveTimeout = LINGER_MS;
}

function listen(server: Server | SecureServer, ip: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const { reason, hint } = listenFailure(cause);
      reject(new UsageError(`cannot listen on ${ip} port ${port}: ${reason}`, { hint, cause }));
    });
    server.listen({ host: ip, port }, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address);
    });
  });
}

interface Serving {
  readonly context: Context;
  readonly log: Logger;
  readonly audit: Audit;
}

/**
 * The one place where a request ends: with its answer, or with the answer that says what went wrong.
 * Resolves to whether something was transferred.
 */
async function serve(
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
    requireHost(request);
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
    if (response.headersSent) response.destroy();
    else refuse(request, response, error, places);
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
