import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf, systemErrorCode } from '../errors.ts';
import { YoungGarbage } from '../host/youngGarbage.ts';
import { codingFault } from '../transferCoding.ts';
import { type BodyBudget, BodyCollector } from './body.ts';
import { headerValue, headerValues } from './headerLines.ts';
import { HttpConnection } from './httpConnection.ts';
import { type HttpFrontOptions, type HttpSocket, isMessageSocket } from './httpSocket.ts';
import type { GatewayReply } from './types.ts';
import { WholeFront } from './wholeFront.ts';

/** How often Node looks for requests that take too long, in milliseconds; an idle server wakes as often. */
const CHECK_MS = 2_000;
/** Of a request that is not let in, so many bytes of its body are read to keep the connection; else it is closed. */
const MAX_DRAINED_BYTES = 64 * 1024;

/** A request whose head is in. */
interface Arrived {
  readonly connection: HttpConnection;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly waitsForContinue: boolean;
}

type HeadFault = readonly [status: number, message: string];

/** HTTP on streams that come from elsewhere: node's parser and writer, with no socket of their own; and a short way for requests
 * that come in one piece (see WholeFront). */
export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #server: Server;
  readonly #connections = new Map<Duplex, HttpConnection>();
  #stopping = false;
  /** Of connections with a request that nobody knows yet whether to let in: what follows it there waits. */
  readonly #undecided = new WeakMap<HttpConnection, Promise<void>>();
  readonly #budget: BodyBudget = { heldBytes: 0 };

  constructor(options: HttpFrontOptions) {
    this.#options = options;
    const { limits } = options;
    const server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: CHECK_MS,
      insecureHTTPParser: false,
      // Node's own answer to a missing Host has no body: onRequest gives it one.
      requireHostHeader: false,
    });
    // All that fit into maxHeaderSize; by default node drops those after the 2000th in silence.
    server.maxHeadersCount = 0;
    // The end of the input must not cut off an answer that is under way.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.on('request', (req, res) => this.#onRequest(req, res));
    server.on('checkContinue', (req, res) => this.#onRequest(req, res, true));
    server.on('checkExpectation', (req, res) => {
      this.#refuse(req, res, 417, `The expectation ${req.headers.expect} cannot be met.`);
    });
    server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
      this.#connections.get(socket)?.breakOff(405, 'CONNECT is not supported: this is no proxy.');
    });
    server.on('clientError', (error: Error, socket: Duplex) => this.#onClientError(error, socket));
    // Node watches over header and request time-outs from 'listening' on, which this server never reaches by itself.
    server.emit('listening');
    this.#server = server;
  }

  /** Serves HTTP on `socket` until it closes. */
  attach(socket: HttpSocket): void {
    const connection = new HttpConnection(socket, this.#options);
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      this.#connections.delete(socket);
      connection.closed();
    });
    const inputEnded = () => connection.inputEnded();
    const handOver = () => {
      connection.handedOver();
      if (isMessageSocket(socket)) socket.showInput(undefined);
      this.#server.emit('connection', socket);
      // After node's own listener, which looks whether the input ended within a request.
      socket.off('end', inputEnded).once('end', inputEnded);
    };
    if (!isMessageSocket(socket)) handOver();
    else {
      socket.once('end', inputEnded);
      const front = new WholeFront(socket, connection, {
        ...this.#options,
        budget: this.#budget,
        handOver,
      });
      socket.showInput((bytes) => front.take(bytes));
    }
  }

  /** Closes what is idle, lets running answers go out for up to `graceMs`, then closes the rest. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const until = performance.now() + graceMs;
    for (const connection of this.#connections.values()) connection.closeWhenIdle();
    while (this.#connections.size > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#server.close();
  }

  #onRequest(req: IncomingMessage, res: ServerResponse, waitsForContinue = false): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined || this.#stopping) return;
    const arrived: Arrived = { connection, req, res, waitsForContinue };
    const before = this.#undecided.get(connection);
    const decide = () => {
      // Whoever is told that the connection closes is told that nothing more was done.
      if (connection.isBrokenOff) return undefined;
      const fault = headFault(req);
      if (fault === undefined) return this.#options.admit?.(connection.request(req));
      this.#refuse(req, res, ...fault);
      return undefined;
    };
    const decision = before === undefined ? decide() : before.then(decide);
    if (!(decision instanceof Promise)) {
      this.#decided(arrived, decision);
      return;
    }
    const settled = decision.then(
      (refused) => this.#decided(arrived, refused),
      (error: unknown) => {
        this.#options.log.error('whether to let a request in was not decided', { error });
        this.#refuse(req, res, 500, 'The server failed to handle this request.');
      },
    );
    const done = settled.finally(() => {
      if (this.#undecided.get(connection) === done) this.#undecided.delete(connection);
    });
    this.#undecided.set(connection, done);
  }

  #decided(
    { connection, req, res, waitsForContinue }: Arrived,
    refused: GatewayReply | undefined,
  ): void {
    if (connection.isBrokenOff) return;
    const { maxBodyBytes } = this.#options.limits;
    const expectedBytes = bodyLength(req);
    if (refused !== undefined) {
      this.#turnAway(connection, req, res, refused, waitsForContinue ? undefined : expectedBytes);
      return;
    }
    if (expectedBytes === 0) {
      connection.submit(req, res);
      return;
    }
    if (expectedBytes !== undefined && expectedBytes > maxBodyBytes) {
      this.#refuse(req, res, 413, tooLarge(`${expectedBytes} bytes`, maxBodyBytes));
      return;
    }
    if (waitsForContinue) res.writeContinue();
    this.#collect(connection, req, res, expectedBytes);
  }

  /** Answers a request that is not let in, at once; the connection goes on only when little is left to read. */
  #turnAway(
    connection: HttpConnection,
    req: IncomingMessage,
    res: ServerResponse,
    refusal: GatewayReply,
    leftBytes: number | undefined,
  ): void {
    const ends = leftBytes !== 0 && !res.shouldKeepAlive;
    if (leftBytes === undefined || leftBytes > MAX_DRAINED_BYTES || ends) {
      connection.refuse(res, refusal);
      return;
    }
    req.resume();
    connection.turnAway(req, res, refusal);
  }

  #collect(
    connection: HttpConnection,
    req: IncomingMessage,
    res: ServerResponse,
    expectedBytes: number | undefined,
  ): void {
    const { maxBodyBytes, maxHeldBytes, stallTimeoutMs } = this.#options.limits;
    const body = new BodyCollector(expectedBytes, this.#budget);
    const garbage = new YoungGarbage();
    connection.expect(req, body);
    req.on('data', (chunk: Buffer) => {
      if (res.writableEnded) return;
      if (body.length + chunk.length > maxBodyBytes) {
        body.release();
        this.#refuse(req, res, 413, tooLarge(`more than ${body.length} bytes`, maxBodyBytes));
      } else if (this.#budget.heldBytes + chunk.length > maxHeldBytes) {
        body.release(); // which leaves room for the others: not all of them are refused
        this.#refuse(req, res, 503, 'Too many large requests are under way; try again later.');
      } else {
        body.add(chunk);
        garbage.passed(chunk.length);
      }
    });
    req.once('end', () => {
      req.socket.setTimeout(0);
      if (!res.writableEnded) connection.submit(req, res, body);
    });
    req.once('timeout', () => {
      const message = `No byte of the body came for ${stallTimeoutMs / 1000} seconds.`;
      connection.breakOff(408, message, req.url);
    });
    req.socket.setTimeout(stallTimeoutMs);
  }

  /** Refuses a request whose end is not awaited: the answer is its connection's last. */
  #refuse(req: IncomingMessage, res: ServerResponse, status: number, message: string): void {
    const refusal = this.#options.refusal(status, message, req.url);
    this.#connections.get(req.socket)?.refuse(res, refusal);
  }

  #onClientError(error: Error, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    switch (systemErrorCode(error) ?? '') {
      case 'HPE_HEADER_OVERFLOW': {
        const { maxHeaderBytes } = this.#options.limits;
        connection.breakOff(431, `The head of the request is larger than ${maxHeaderBytes} bytes.`);
        break;
      }
      case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
        connection.breakOff(413, 'The chunk extensions of the body are too large.');
        break;
      case 'ERR_HTTP_REQUEST_TIMEOUT':
        connection.breakOff(408, 'The request did not come in whole in time.');
        break;
      case 'ECONNRESET':
        socket.destroy();
        break;
      default:
        connection.breakOff(400, `This is no acceptable HTTP request: ${parserReason(error)}.`);
    }
  }
}

/** What RFC 9112 wants refused and node's parser lets through. */
function headFault({ httpVersion, rawHeaders }: IncomingMessage): HeadFault | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return [400, 'Only HTTP/1.1 and HTTP/1.0 are spoken.'];
  const hosts = headerValues(rawHeaders, 'host').length;
  if (hosts > 1) return [400, 'The request has more than one Host header.'];
  if (hosts === 0 && httpVersion === '1.1') return [400, 'The request has no Host header.'];
  const coded = codingFault(headerValues(rawHeaders, 'transfer-encoding'));
  return coded === undefined ? undefined : [501, `This request cannot be read: ${coded}.`];
}

/** How many bytes of body follow a head; undefined when it does not say. */
function bodyLength({ rawHeaders }: IncomingMessage): number | undefined {
  if (headerValue(rawHeaders, 'transfer-encoding') !== undefined) return undefined;
  return Number(headerValue(rawHeaders, 'content-length') ?? 0);
}

function tooLarge(what: string, maxBodyBytes: number): string {
  return `The body has ${what}; at most ${maxBodyBytes} are taken.`;
}

function parserReason(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : messageOf(error);
}
