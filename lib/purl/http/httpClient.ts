import { type ClientRequest, type IncomingMessage, request as nodeRequest } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import { messageOf, systemErrorCode } from '../../errors.ts';
import { PurlFailure } from '../failure.ts';
import { OldHttpSocket } from './oldHttp.ts';
import { type ConnectOptions, openConnection, proxyAuthorization } from './openConnection.ts';

/** How to reach servers; the same for all requests of a run. */
export interface ClientOptions extends ConnectOptions {
  /** How long to wait while nothing arrives and nothing can be sent; 0: for ever. */
  readonly idleTimeoutMs: number;
  readonly headers: readonly (readonly [string, string])[];
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: readonly (readonly [string, string])[];
  /** A text, or a function that writes the body and ends the request; called again after a redirect that keeps it. */
  readonly body?: string | ((request: Writable) => Promise<void>);
  /** The peer may be a Python pfioh, which leaves the HTTP head away; not for bulk answers. */
  readonly oldPeer?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and resolves when the head of the answer is there; its body is read from the
 * result. Follows redirects: 301 to 303 turn a POST into a GET, credentials stay with their origin.
 * @throws PurlFailure
 */
export async function send(request: HttpRequest, client: ClientOptions): Promise<IncomingMessage> {
  let current = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await sendOnce(current, client, current.url.origin === request.url.origin);
    const { statusCode = 0, headers } = answer;
    if (!REDIRECTS.has(statusCode) || headers.location === undefined) return answer;
    answer.destroy();
    current = redirected(current, statusCode, headers.location);
  }
  throw new PurlFailure(
    'redirects',
    `${request.url.href} redirects more than ${MAX_REDIRECTS} times`,
  );
}

function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  const url = new URL(location, request.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new PurlFailure('badTarget', `${request.url.href} redirects to ${url.protocol}`);
  }
  const becomesGet = status === 303 || (status < 303 && request.method === 'POST');
  if (!becomesGet || request.method === 'HEAD') return { ...request, url };
  const { body: _, ...rest } = request;
  const headers = (request.headers ?? []).filter(([name]) => !/^content-/i.test(name));
  return { ...rest, url, method: 'GET', headers };
}

async function sendOnce(request: HttpRequest, client: ClientOptions, sameOrigin: boolean) {
  const { url, body } = request;
  const socket = await openConnection(url, client);
  const viaProxy = client.proxy !== undefined && url.protocol === 'http:';
  const own = [...client.headers, ...(request.headers ?? [])];
  const kept = sameOrigin ? own : own.filter(([name]) => !/^(authorization|cookie)$/i.test(name));
  const length: [string, string][] =
    typeof body === 'string' ? [['Content-Length', String(Buffer.byteLength(body))]] : [];
  const proxied = viaProxy && client.proxy ? Object.entries(proxyAuthorization(client.proxy)) : [];
  const outgoing = nodeRequest({
    method: request.method,
    path: viaProxy ? `${url.origin}${url.pathname}${url.search}` : url.pathname + url.search,
    headers: [['Host', url.host], ...proxied, ...kept, ...length].flat(),
    setHost: false,
    createConnection: () => (request.oldPeer ? new OldHttpSocket(socket) : socket),
  });
  return answerTo(outgoing, socket, request, client);
}

/** The answer to a request; sends the body meanwhile and gives up when nothing moves any more. */
function answerTo(
  outgoing: ClientRequest,
  socket: Duplex,
  { url, body, signal }: HttpRequest,
  { idleTimeoutMs }: ClientOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answered: IncomingMessage | undefined;
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
    watch(socket, idleTimeoutMs, () =>
      fail(new PurlFailure('timeout', `${url.host}: nothing came for ${idleTimeoutMs} ms`)),
    );
    socket.once('close', () => signal?.removeEventListener('abort', onAbort));
    outgoing.once('response', (answer) => {
      answered = answer;
      // An answer that comes before all was sent is a refusal: the rest need not be sent.
      answer.once('end', () => {
        if (!outgoing.writableFinished) outgoing.destroy();
      });
      resolve(answer);
    });
    outgoing.on('error', (error) => {
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

function watch(socket: Duplex, idleTimeoutMs: number, onIdle: () => void): void {
  if (idleTimeoutMs <= 0 || !('setTimeout' in socket)) return;
  (socket as Duplex & { setTimeout(ms: number, done: () => void): void }).setTimeout(
    idleTimeoutMs,
    onIdle,
  );
}

function isHangUp(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function badAnswer(url: URL, cause: unknown): PurlFailure {
  const code = systemErrorCode(cause) ?? '';
  if (code.startsWith('HPE_')) {
    return new PurlFailure('badAnswer', `${url.host} does not speak HTTP (${code})`, { cause });
  }
  if (isHangUp(cause)) {
    return new PurlFailure('badAnswer', `${url.host} closed the connection without an answer`, {
      cause,
    });
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
