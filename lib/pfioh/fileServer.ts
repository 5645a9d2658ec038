import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Audit, NO_AUDIT } from '../access/auditLog.ts';
import { type Door, OPEN_DOOR } from '../access/tokenStore.ts';
import { messageOf, PmanError, UsageError } from '../errors.ts';
import { listenFailure } from '../host/listenFailure.ts';
import type { TlsFiles } from '../host/tlsFiles.ts';
import type { Logger } from '../log.ts';
import { pathState, provideFolder } from '../transfer/pathState.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from '../transfer/unpackLimits.ts';
import type { Context } from './context.ts';
import { answerEarlyRefusals } from './earlyRefusals.ts';
import { DEFAULT_IDLE_MS, limitSilence, sayAlive } from './patience.ts';
import { Places } from './places.ts';
import { oneByOne } from './sentAhead.ts';
import { serveRequest } from './serveRequest.ts';

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
  /**
   * Stops listening and waits for the requests under way, but not for clients that are silent for 2.5 seconds; a second
   * call drops them.
   */
  close(): Promise<void>;
}

/** How long a connection stays open without a request, in milliseconds. */
const KEEP_ALIVE_MS = 5000;
/** How long a client may be silent when the server is to end, in milliseconds. */
const CLOSING_MS = 2500;
/** After so long the system asks whether the other machine is still there, in milliseconds. */
const PROBE_MS = 15_000;

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
  const silence = limitSilence(server, options.idleMs ?? DEFAULT_IDLE_MS);
  let closing = false;
  const close = async () => {
    if (closing) {
      abort.abort(new Error('the server was stopped'));
      server.closeAllConnections();
    } else if (server.listening) {
      closing = true;
      server.close();
      server.closeIdleConnections();
      // Half a request, or none yet, would hold it up for as long as a client likes.
      silence.shorten(CLOSING_MS);
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
  const noteAnswer = answerEarlyRefusals(server);
  const answer = oneByOne((request, response) => {
    noteAnswer(request, response);
    silence.watch(request, response);
    sayAlive(request, response);
    if (closing || (taken && !forever && !oneTransfer)) response.setHeader('Connection', 'close');
    taken = true;
    void serveRequest(request, response, { context, log, audit: options.audit ?? NO_AUDIT }).then(
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
  server.keepAliveTimeout = KEEP_ALIVE_MS;
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
