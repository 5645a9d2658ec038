import {
  type ClientRequest,
  type IncomingMessage,
  request as nodeRequest,
  type RequestOptions,
} from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import { heedAnswer, SwitchedProtocol } from '../../answerHead.ts';
import { messageOf, systemErrorCode } from '../../errors.ts';
import { PurlFailure } from '../failure.ts';
import { BulkSocket } from './bulkSocket.ts';
import { MAX_HEAD_BYTES, OldHttpSocket } from './oldHttp.ts';
import { type ConnectOptions, openConnection } from './openConnection.ts';
import { proxyAuthorization, proxyRefusal } from './tunnel.ts';
import { watchIdle } from './watchIdle.ts';

/** How to reach servers; the same for all requests of a run. */
export interface ClientOptions extends ConnectOptions {
  /** How long to wait while nothing arrives and nothing can be sent; 0: for ever. */
  readonly idleTimeoutMs: number;
  /** What every server is told. */
  readonly headers: Headers;
  /** What is meant for the server that was named, such as credentials: no other one is told. */
  readonly givenHeaders: Headers;
}

type Headers = readonly (readonly [string, string])[];

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Headers;
  /** A text, or a function that writes the body and ends the request; called again after a redirect that keeps it. */
  readonly body?: string | ((request: Writable) => Promise<void>);
  /** The peer may be a Python pfioh, which leaves the HTTP head away; not for bulk answers. */
  readonly oldPeer?: boolean;
  /** The server may take its time to answer, and cannot say that it is still at work. */
  readonly patient?: boolean;
  /** The answer is long: `contentOf` it is read past Node's HTTP parser, where that can be. */
  readonly bulk?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const MAX_REDIRECTS = 10;
/** How long a server that cannot say that it is at work may take for it. */
const PATIENT_MS = 3600 * 1000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and resolves when the head of the answer is there; its body is read from the result. Follows
 * redirects: 301 to 303 turn a POST into a GET. What was meant for the server that was named (credentials, headers of
 * the command line, a body) goes to no other one, also when that one sends back.
 * @throws PurlFailure
 */
export async function send(request: HttpRequest, client: ClientOptions): Promise<IncomingMessage> {
  let current = request;
  let hasLeft = false;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await sendOnce(current, client, hasLeft);
    const { statusCode = 0, headers } = answer;
    if (!REDIRECTS.has(statusCode) || headers.location === undefined) return answer;
    answer.destroy();
    current = redirected(current, statusCode, headers.location);
    hasLeft ||= current.url.origin !== request.url.origin;
    if (hasLeft && current.body !== undefined) throw bodyLeaves(request.url, current.url);
  }
  throw new PurlFailure(
    'redirects',
    `${request.url.href} redirects more than ${MAX_REDIRECTS} times`,
  );
}

function bodyLeaves(from: URL, { origin }: URL): PurlFailure {
  return new PurlFailure(
    'redirects',
    `${from.host} wants what is sent to go to ${origin}; if that is right, name it with --http`,
  );
}

function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  const url = targetOf(location, request.url);
  const becomesGet = status === 303 || (status < 303 && request.method === 'POST');
  if (!becomesGet || request.method === 'HEAD') return { ...request, url };
  const { body: _, ...rest } = request;
  const headers = (request.headers ?? []).filter(([name]) => !/^content-/i.test(name));
  return { ...rest, url, method: 'GET', headers };
}

function targetOf(location: string, from: URL): URL {
  try {
    // Node reads heads as Latin-1; servers that do not escape a name write it in UTF-8.
    const url = new URL(Buffer.from(location, 'latin1').toString('utf8'), from);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
    throw new PurlFailure('badTarget', `${from.href} redirects to ${url.protocol}`);
  } catch (cause) {
    if (cause instanceof PurlFailure) throw cause;
    const where = JSON.stringify(location);
    throw new PurlFailure('badTarget', `${from.href} redirects to ${where}, which is no address`, {
      cause,
    });
  }
}

async function sendOnce(request: HttpRequest, client: ClientOptions, hasLeft: boolean) {
  const { url } = request;
  const bulk = request.bulk && url.protocol === 'http:' ? new BulkSocket() : undefined;
  const socket = await openConnection(url, { ...client, onread: bulk?.onread });
  try {
    return await askOver(socket, bulk, request, client, hasLeft);
  } catch (error) {
    // Whatever went wrong: a connection that stays open keeps the program from ending.
    socket.destroy();
    throw error;
  }
}

/** Sends a request over a connection, and gives the answer when its head is there. @throws PurlFailure */
async function askOver(
  socket: Duplex,
  bulk: BulkSocket | undefined,
  request: HttpRequest,
  client: ClientOptions,
  hasLeft: boolean,
): Promise<IncomingMessage> {
  const { url, body } = request;
  const proxy = url.protocol === 'http:' ? client.proxy : undefined;
  const given = hasLeft ? [] : client.givenHeaders;
  const said = new Set(given.map(([name]) => name.toLowerCase()));
  const own = client.headers.filter(([name]) => !said.has(name.toLowerCase()));
  const length: [string, string][] =
    typeof body === 'string' ? [['Content-Length', String(Buffer.byteLength(body))]] : [];
  const proxied = proxy === undefined ? [] : Object.entries(proxyAuthorization(proxy));
  const outgoing = begun(url, {
    method: request.method,
    path:
      proxy === undefined ? url.pathname + url.search : `${url.origin}${url.pathname}${url.search}`,
    headers: [
      ['Host', url.host],
      ...proxied,
      ...own,
      ...given,
      ...(request.headers ?? []),
      ...length,
    ].flat(),
    setHost: false,
    maxHeaderSize: MAX_HEAD_BYTES,
    // Old servers and proxies send heads that are not quite right; curl reads them, and nobody reads behind us.
    insecureHTTPParser: request.oldPeer ?? false,
    createConnection: () =>
      bulk?.attach(socket) ?? (request.oldPeer ? new OldHttpSocket(socket) : socket),
  });
  const waits = () => (bulk?.content.readableLength ?? 0) > 0;
  const answer = await answerTo(outgoing, { socket, waits }, request, client);
  if (proxy === undefined || answer.statusCode !== 407) return answer;
  answer.destroy();
  const why = proxyRefusal(`407 ${answer.statusMessage}`);
  throw new PurlFailure('proxy', `proxy ${proxy.host} does not ask ${url.host}: ${why}`);
}

/** @throws PurlFailure `usage` for what no head of a request may have */
function begun({ host }: URL, options: RequestOptions): ClientRequest {
  try {
    return nodeRequest(options);
  } catch (cause) {
    throw new PurlFailure('usage', `this cannot be sent to ${host}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

interface Connection {
  readonly socket: Duplex;
  /** Whether content has come that nobody has taken. */
  readonly waits: () => boolean;
}

/** The answer to a request; sends the body meanwhile and gives up when nothing moves any more. */
function answerTo(
  outgoing: ClientRequest,
  { socket, waits }: Connection,
  { url, body, signal, patient = false }: HttpRequest,
  { idleTimeoutMs }: ClientOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answered: IncomingMessage | undefined;
    const isSent = () => outgoing.writableFinished;
    // The server sees a request that breaks off.
    const fail = (reason: unknown) => {
      const failure = reason instanceof Error ? reason : new Error(messageOf(reason));
      reject(reason);
      answered?.destroy(failure);
      outgoing.destroy(failure);
      socket.destroy();
    };
    const onAbort = () =>
      fail(new PurlFailure('interrupted', `interrupted while talking to ${url.host}`));
    signal?.addEventListener('abort', onAbort, { once: true });
    watchIdle(socket, {
      limitMs: () => (patient && isSent() && answered === undefined ? PATIENT_MS : idleTimeoutMs),
      // What is to be sent is not there yet, or what came has not been taken: that is not the server's fault.
      isOurTurn: () =>
        (!outgoing.writableEnded && outgoing.writableLength === 0) ||
        (answered?.readableLength ?? 0) > 0 ||
        waits(),
      everyMs: idleTimeoutMs,
      onIdle: (ms) => fail(new PurlFailure('timeout', `${url.host}: nothing came for ${ms} ms`)),
    });
    socket.once('close', () => signal?.removeEventListener('abort', onAbort));
    const take = (answer: IncomingMessage) => {
      answered = answer;
      // An answer that comes before all was sent is a refusal: the rest need not be sent.
      answer.once('end', () => {
        if (!outgoing.writableFinished) outgoing.destroy();
      });
      resolve(answer);
    };
    heedAnswer(outgoing, take, (error) => {
      if (error instanceof PurlFailure) reject(error);
      else if (answered === undefined) reject(badAnswer(url, error));
    });
    if (signal?.aborted) onAbort();
    else if (typeof body === 'string') outgoing.end(body);
    else if (body === undefined) outgoing.end();
    else {
      body(outgoing).catch((error: unknown) => {
        // A server may answer and close before it has read all; its answer then says why.
        if (!isHangUp(error)) fail(error);
      });
    }
  });
}

function isHangUp(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function badAnswer(url: URL, cause: unknown): PurlFailure {
  if (cause instanceof SwitchedProtocol) {
    return new PurlFailure('badAnswer', `${url.host} goes on in another protocol than HTTP`);
  }
  const code = systemErrorCode(cause) ?? '';
  if (code.startsWith('HPE_')) {
    return new PurlFailure('badAnswer', `${url.host} does not speak HTTP (${code})`, { cause });
  }
  if (isHangUp(cause)) {
    // So does what speaks TLS.
    const meant = url.protocol === 'http:' ? '; perhaps https:// is meant' : '';
    const why = `${url.host} closed the connection without an answer${meant}`;
    return new PurlFailure('badAnswer', why, { cause });
  }
  return new PurlFailure('badAnswer', `no answer from ${url.host}: ${messageOf(cause)}`, { cause });
}

// A second head at the start of the body: Python's pfioh 2 writes one with --httpResponse.
const INNER_HEAD = /^\d{3} [A-Za-z ]+\r?\n(?:[\w-]+: .*\r?\n)+\r?\n/;

const MAX_TEXT_BYTES = 256 * 1024 * 1024;

/**
 * The body of an answer as text.
 * @throws PurlFailure `partial` when the connection ends early
 */
export async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_TEXT_BYTES) throw new PurlFailure('badAnswer', 'the answer is far too long');
      chunks.push(chunk);
    }
  } catch (error) {
    // An HTTP/1.0 peer states a length that it does not keep (Python's pfioh does): take what came.
    if (error instanceof PurlFailure || answer.httpVersion !== '1.0') {
      if (error instanceof PurlFailure) throw error;
      throw new PurlFailure('partial', `the answer broke off after ${size} bytes`, {
        cause: error,
      });
    }
  }
  return Buffer.concat(chunks).toString('utf8').replace(INNER_HEAD, '');
}
