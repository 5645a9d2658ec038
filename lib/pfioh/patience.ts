import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client may be silent, unless the server is told otherwise. */
export const DEFAULT_IDLE_MS = 60_000;
const SHORTEST_MS = 100;
const LONGEST_MS = 60_000;

/**
 * Closes connections on which nothing moves: no byte comes of what is awaited, or none is taken of what is sent. As
 * long as this server is the one that is waited for, a connection stays. Gives back what each request is told to.
 */
export function limitSilence(server: Server, idleMs: number) {
  const current = new WeakMap<
    Socket,
    { readonly request: IncomingMessage; readonly response: ServerResponse }
  >();
  server.timeout = idleMs;
  server.on('timeout', (socket: Socket) => {
    const pair = current.get(socket);
    if (pair === undefined || isClientsTurn(pair.request, pair.response)) socket.destroy();
    // Node looks once, until something moves.
    else socket.setTimeout(idleMs);
  });
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const pair = { request, response };
    current.set(socket, pair);
    response.once('close', () => {
      if (current.get(socket) === pair) current.delete(socket);
    });
  };
}

function isClientsTurn(request: IncomingMessage, response: ServerResponse): boolean {
  // What came and was not read yet is ours to read.
  if (!request.complete) return request.readableLength === 0;
  return response.writableLength > 0 || response.writableFinished;
}

/**
 * Tells a client that asks for it (our own purl), every so often until the answer begins, that its request is being
 * worked on: status 102. Other clients may not know it.
 */
export function sayAlive(request: IncomingMessage, response: ServerResponse): void {
  const { headers, httpVersion } = request;
  const wanted = Number(headers['pfioh-alive-ms']);
  if (!(wanted > 0) || httpVersion !== '1.1') return;
  const everyMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, wanted));
  const timer = setInterval(() => {
    if (response.headersSent || response.destroyed) clearInterval(timer);
    else response.writeProcessing();
  }, everyMs);
  response.once('close', () => clearInterval(timer));
}
