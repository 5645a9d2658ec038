import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';

/** How long a client may be silent, unless the server is told otherwise. */
export const DEFAULT_IDLE_MS = 60_000;
const SHORTEST_MS = 100;
const LONGEST_MS = 60_000;

export interface SilenceLimit {
  /** To be told of each request. */
  watch(request: IncomingMessage, response: ServerResponse): void;
  /** From now on clients may be silent for so long at most, also those that are there. */
  shorten(ms: number): void;
}

/**
 * Closes connections on which nothing moves: no byte comes of what is awaited, or none is taken of what is sent. As
 * long as this server is the one that is waited for, a connection stays.
 */
export function limitSilence(server: Server, idleMs: number): SilenceLimit {
  let limitMs = idleMs;
  const open = new Set<Socket>();
  const current = new WeakMap<
    Socket,
    { readonly request: IncomingMessage; readonly response: ServerResponse }
  >();
  server.timeout = idleMs;
  // Of TLS: the one on which requests come.
  const connected = server instanceof SecureServer ? 'secureConnection' : 'connection';
  server.on(connected, (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('timeout', (socket: Socket) => {
    const pair = current.get(socket);
    if (pair === undefined || isClientsTurn(pair.request, pair.response)) socket.destroy();
    // Node looks once, until something moves.
    else socket.setTimeout(limitMs);
  });
  const watch = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const pair = { request, response };
    current.set(socket, pair);
    response.once('close', () => {
      if (current.get(socket) === pair) current.delete(socket);
    });
  };
  const shorten = (ms: number) => {
    limitMs = Math.min(ms, idleMs);
    for (const socket of open) socket.setTimeout(limitMs);
  };
  return { watch, shorten };
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
