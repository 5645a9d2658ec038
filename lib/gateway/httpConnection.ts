import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Soon } from '../concurrency/soon.ts';
import { messageOf } from '../errors.ts';
import { type AnswerWriter, drainedOrClosed, NodeWriter } from './answerWriter.ts';
import type { BodyBudget, BodyCollector } from './body.ts';
import { replyBytes } from './httpReply.ts';
import { HttpRequest, headOf } from './httpRequest.ts';
import type { HttpFrontOptions, HttpSocket } from './httpSocket.ts';
import { type GatewayReply, isStream } from './types.ts';
import type { WholeRequest } from './wholeRequest.ts';

/** Requests that may wait on one connection before reading from it pauses. */
const MAX_WAITING = 64;
const NOTHING = Buffer.alloc(0);

interface Exchange {
  readonly request: HttpRequest;
  readonly writer: AnswerWriter;
  /** Holds the body, until the answer is out. */
  readonly body: Pick<BodyCollector, 'release'> | undefined;
  /** The answer, when it is known already: the handler is not asked. */
  readonly decided?: GatewayReply;
}

/**
 * The requests of one connection, handled one after the other: pipelined requests may depend on each
 * other, and their answers have to go out in order anyway.
 */
export class HttpConnection {
  readonly #socket: HttpSocket;
  readonly #options: HttpFrontOptions;
  readonly #waiting: Exchange[] = [];
  /** Requests whose head is in, and whose body has not been handed over yet. */
  readonly #expected = new Map<IncomingMessage, BodyCollector>();
  #current: HttpRequest | undefined;
  #holding = false;
  #brokenOff = false;
  #closing = false;
  #lastAnswered = false;
  #ended = false;
  #hasServed = false;
  /** Whether the connection is still read a whole request at a time. */
  #isWhole = false;
  #lastWords: Buffer | undefined;

  constructor(socket: HttpSocket, options: HttpFrontOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** A request whose body is on its way; `submit` follows if it ever is complete. */
  expect(req: IncomingMessage, body: BodyCollector): void {
    this.#expected.set(req, body);
  }

  /** Takes a complete request. */
  submit(req: IncomingMessage, res: ServerResponse, body?: BodyCollector): void {
    this.#expected.delete(req);
    if (this.#closing || this.#lastAnswered) {
      body?.release();
      return;
    }
    this.#queue({ request: this.request(req, body?.take()), writer: new NodeWriter(res), body });
  }

  /** Whether a request has been answered. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Takes a request that came in one piece. What comes behind it waits until it is answered. */
  submitWhole({ head, body }: WholeRequest, writer: AnswerWriter, budget: BodyBudget): void {
    if (this.#closing || this.#lastAnswered || this.#brokenOff) return;
    this.#isWhole = true;
    this.#hold(true);
    const request = new HttpRequest(head, body, this.#socket.addresses);
    budget.heldBytes += body.length;
    const held = {
      release: () => {
        budget.heldBytes -= body.length;
      },
    };
    const decided = this.#options.admit?.(request);
    if (decided instanceof Promise) void this.#decide(decided, { request, writer, body: held });
    else this.#queueDecided({ request, writer, body: held }, decided);
  }

  async #decide(decision: Promise<GatewayReply | undefined>, exchange: Exchange): Promise<void> {
    try {
      this.#queueDecided(exchange, await decision);
    } catch (error) {
      this.#options.log.error('whether to let a request in was not decided', { error });
      const refused = this.#options.refusal(500, 'The server failed to handle this request.');
      this.#queueDecided(exchange, { ...refused, closeAfter: true });
    }
  }

  #queueDecided(exchange: Exchange, refused: GatewayReply | undefined): void {
    // The server was told to stop while that was decided: nobody would get the answer.
    if (this.#closing) exchange.body?.release();
    else if (refused === undefined) this.#queue(exchange);
    else this.#queue({ ...exchange, decided: refused });
  }

  /** From now on node:http reads the connection. */
  handedOver(): void {
    this.#isWhole = false;
  }

  /** Takes a request whose answer is known, and whose body nobody reads. */
  turnAway(req: IncomingMessage, res: ServerResponse, decided: GatewayReply): void {
    if (this.#closing || this.#lastAnswered) return;
    const writer = new NodeWriter(res);
    this.#queue({ request: this.request(req), writer, body: undefined, decided });
  }

  /** What is known of a request. */
  request(req: IncomingMessage, body: Buffer = NOTHING): HttpRequest {
    return new HttpRequest(headOf(req), body, this.#socket.addresses);
  }

  #queue(exchange: Exchange): void {
    if (this.#current === undefined) {
      this.#serve(exchange);
      return;
    }
    this.#waiting.push(exchange);
    if (this.#waiting.length >= MAX_WAITING) this.#hold(true);
  }

  /** Whether it closes behind an answer that was given early: what came behind that request is not looked at (RFC 9112, 9.6). */
  get isBrokenOff(): boolean {
    return this.#brokenOff;
  }

  /** Answers a request without reading the rest of it; the connection closes after this answer. */
  refuse(res: ServerResponse, reply: GatewayReply): void {
    if (this.#brokenOff) return;
    this.#brokenOff = true;
    this.#socket.discardInput();
    new NodeWriter(res).send({ ...reply, closeAfter: true }, this.#outOrGone);
  }

  /** Says why and closes, after the answers to what came before: the rest of the input makes no sense or does not come. */
  breakOff(status: number, message: string, target?: string): void {
    if (this.#brokenOff) return;
    this.#brokenOff = true;
    this.#socket.discardInput();
    this.#lastWords = replyBytes(this.#options.refusal(status, message, target));
    if (this.#isIdle()) this.#sayLastWords();
  }

  /** Closes now if nothing is under way, else after the answer that is. */
  closeWhenIdle(): void {
    this.#closing = true;
    this.#dropWaiting();
    if (this.#current !== undefined) return;
    this.#socket.destroySoon();
  }

  /** No request will follow: closes after the last answer. */
  inputEnded(): void {
    this.#ended = true;
    if (this.#isIdle()) this.#socket.destroySoon();
  }

  /** The connection is gone. */
  closed(): void {
    this.#current?.clientLeft();
    for (const { request } of this.#waiting) request.clientLeft();
    for (const body of this.#expected.values()) body.release();
  }

  #serve(exchange: Exchange): void {
    const { request, decided } = exchange;
    this.#current = request;
    if (this.#socket.destroyed) request.clientLeft();
    let reply: Soon<GatewayReply>;
    try {
      reply = decided ?? this.#options.handler(request);
    } catch (error) {
      reply = this.#failed(error, request);
    }
    if (!(reply instanceof Promise)) this.#answer(exchange, reply);
    else {
      void reply
        .catch((error: unknown) => this.#failed(error, request))
        .then((made) => this.#answer(exchange, made));
    }
  }

  #failed(error: unknown, { method, target }: HttpRequest): GatewayReply {
    const { log, refusal } = this.#options;
    log.error('a request handler threw', { error, method });
    return refusal(500, 'The server failed to handle this request.', target);
  }

  #answer(exchange: Exchange, made: GatewayReply): void {
    const { request, writer } = exchange;
    if (this.#socket.destroyed) {
      if (isStream(made.body)) made.body.destroy();
      this.#answered(exchange);
      return;
    }
    const reply = this.#closing ? { ...made, closeAfter: true } : made;
    if (reply.closeAfter === true || !writer.keepsAlive) this.#dropTheRest();
    const sent = (error?: unknown) => {
      if (error === undefined || error === null) this.#answered(exchange);
      else this.#sendInstead(exchange, reply, error);
    };
    try {
      writer.send(reply, sent, request);
    } catch (error) {
      sent(error);
    }
  }

  /** Says that the answer cannot be sent, where nothing of it has been. */
  #sendInstead(exchange: Exchange, reply: GatewayReply, error: unknown): void {
    const { request, writer } = exchange;
    if (this.#socket.destroyed || writer.hasBegun) {
      this.#giveUp(error);
      this.#answered(exchange);
      return;
    }
    const { log, refusal } = this.#options;
    log.error('a reply cannot be sent', { error, method: request.method });
    if (isStream(reply.body)) reply.body.destroy();
    this.#dropTheRest();
    const instead = refusal(500, 'The server made a reply that cannot be sent.', request.target);
    writer.send({ ...instead, closeAfter: true }, (failure) => {
      this.#outOrGone(failure);
      this.#answered(exchange);
    });
  }

  readonly #outOrGone = (error?: unknown) => {
    if (error !== undefined && error !== null) this.#giveUp(error);
  };

  #answered({ body }: Exchange): void {
    body?.release();
    this.#hasServed = true;
    // One answer at a time waits for a slow reader, not one for each request it has sent.
    if (this.#socket.writableNeedDrain) void drainedOrClosed(this.#socket).then(() => this.#next());
    else this.#next();
  }

  #next(): void {
    if (this.#waiting.length <= MAX_WAITING / 2) this.#hold(false);
    const next = this.#waiting.shift();
    if (next !== undefined) {
      // An answer may come without a turn of the event loop: thousands in a row would keep all others waiting.
      setImmediate(() => this.#serve(next));
      return;
    }
    this.#current = undefined;
    if (!this.#isIdle()) return;
    if (this.#lastWords !== undefined) this.#sayLastWords();
    else if (this.#ended || this.#closing) this.#socket.destroySoon();
    else if (this.#isWhole) this.#socket.setTimeout(this.#options.limits.keepAliveTimeoutMs);
  }

  /** The answer to come is the connection's last: what was pipelined after its request is not run. */
  #dropTheRest(): void {
    this.#lastAnswered = true;
    this.#dropWaiting();
  }

  #dropWaiting(): void {
    for (const { body } of this.#waiting.splice(0)) body?.release();
  }

  #hold(wanted: boolean): void {
    if (wanted === this.#holding) return;
    this.#holding = wanted;
    if (wanted) this.#socket.holdInput();
    else this.#socket.releaseInput();
  }

  /** Nothing under way, nor complete at the parser with its 'end' still to come. */
  #isIdle(): boolean {
    if (this.#current !== undefined) return false;
    if (this.#expected.size === 0) return true;
    return ![...this.#expected.keys()].some(({ complete }) => complete);
  }

  #giveUp(error: unknown): void {
    this.#options.log.debug('an answer was broken off', { reason: messageOf(error) });
    this.#socket.destroy();
  }

  #sayLastWords(): void {
    if (this.#socket.writable && !this.#lastAnswered) this.#socket.write(this.#lastWords);
    this.#lastWords = undefined;
    this.#socket.destroySoon();
  }
}
