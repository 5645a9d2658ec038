import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  declaredLength,
  flatHeaders,
  headText,
  isBodyless,
  keptHead,
  measured,
} from './httpReply.ts';
import type { HttpSocket, MessageSocket } from './httpSocket.ts';
import { type GatewayReply, isStream } from './types.ts';

export type Sent = (error?: unknown) => void;
type Client = { readonly signal: AbortSignal };

/** Sends the answer to one request. */
export interface AnswerWriter {
  /** Whether the connection may have further requests after this one. */
  readonly keepsAlive: boolean;
  readonly hasBegun: boolean;
  /**
   * A stream is awaited, and must hold what its Content-Length says, else the connection is broken off and `sent` gets the error: a
   * client must not take a part for the whole.
   * @param sent called once, not within the call; an error says why the answer is not out, or not all of it
   */
  send(reply: GatewayReply, sent: Sent, client?: Client): void;
}

/** Sends by node:http, where that has read the request. */
export class NodeWriter implements AnswerWriter {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  get keepsAlive(): boolean {
    return this.#res.shouldKeepAlive;
  }

  get hasBegun(): boolean {
    return this.#res.headersSent;
  }

  send(reply: GatewayReply, sent: Sent, client?: Client): void {
    this.#send(reply, client).then(() => sent(), sent);
  }

  async #send(reply: GatewayReply, client?: Client): Promise<void> {
    const res = this.#res;
    const { status, body } = reply;
    const close = reply.closeAfter === true || !res.shouldKeepAlive;
    res.sendDate = false;
    // Without this node adds Connection and Keep-Alive of its own.
    res.removeHeader('connection');
    const flat = flatHeaders(reply, close);
    if (!close && res.req.httpVersion === '1.0') flat.push('Connection', 'keep-alive');
    // The words of an answer that could not be sent before stay with node.
    res.writeHead(status, STATUS_CODES[status] ?? 'Error', flat);
    if (!isStream(body)) {
      // With a text node would write the head in its encoding, too.
      res.end(Buffer.from(body));
    } else if (res.req.method === 'HEAD') {
      body.destroy();
      res.end();
    } else {
      // A response that waits behind another one is not told when its connection closes: the signal is.
      const options = client === undefined ? {} : { signal: client.signal };
      await pipeline(measured(body, declaredLength(reply.headers)), res, options);
    }
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
const ASCII = /^[\x00-\x7f]*$/;

/** Answers a request of HTTP/1.1 whose connection stays open, in one message where that is possible. */
export class WholeWriter implements AnswerWriter {
  readonly keepsAlive = true;
  readonly #socket: MessageSocket;
  readonly #isHead: boolean;
  #hasBegun = false;

  constructor(socket: MessageSocket, method: string) {
    this.#socket = socket;
    this.#isHead = method === 'HEAD';
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  send(reply: GatewayReply, sent: Sent): void {
    const { status, body, closeAfter = false } = reply;
    const hasBody = !this.#isHead && !isBodyless(status);
    if (closeAfter || isStream(body) || !hasBody) {
      this.#sendOther(reply, hasBody).then(() => sent(), sent);
      return;
    }
    const head = typeof body === 'string' ? keptHead(reply, body) : undefined;
    if (head === undefined) {
      this.#write(status, flatHeaders(reply, false), body, sent);
      return;
    }
    this.#hasBegun = true;
    this.#socket.writeMessage(`${head}${body}`, sent);
  }

  async #sendOther(reply: GatewayReply, hasBody: boolean): Promise<void> {
    const { status, body, closeAfter = false } = reply;
    const flat = flatHeaders(reply, closeAfter);
    if (isStream(body) && hasBody) await this.#stream(reply, body, flat);
    else {
      if (isStream(body)) body.destroy();
      const left = isStream(body) || !hasBody ? '' : body;
      await new Promise<void>((resolve, reject) => {
        this.#write(status, flat, left, (error) => (error ? reject(error) : resolve()));
      });
    }
    if (closeAfter) this.#socket.destroySoon();
  }

  /** @throws TypeError as headText does */
  #write(status: number, flat: readonly string[], body: Buffer | string, sent: Sent): void {
    const socket = this.#socket;
    const head = headText(status, flat);
    this.#hasBegun = true;
    if (typeof body === 'string' && ASCII.test(head)) {
      socket.writeMessage(head + body, sent);
      return;
    }
    socket.cork();
    socket.write(head, 'latin1');
    if (body.length > 0) socket.write(body, 'utf8');
    socket.uncork();
    process.nextTick(sent);
  }

  async #stream(reply: GatewayReply, body: Readable, flat: string[]): Promise<void> {
    const socket = this.#socket;
    const length = declaredLength(reply.headers);
    const isChunked = length === undefined;
    if (isChunked) flat.push('Transfer-Encoding', 'chunked');
    const head = headText(reply.status, flat);
    this.#hasBegun = true;
    const leave = () => body.destroy();
    socket.once('close', leave);
    try {
      // What there is at once goes with the head: a client that is cut off behind the head knows where to go on.
      socket.cork();
      socket.write(head, 'latin1');
      setImmediate(() => socket.uncork());
      for await (const chunk of measured(body, length)) {
        if (chunk.length === 0) continue;
        socket.cork();
        if (isChunked) socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n`, 'latin1');
        socket.write(chunk, 'utf8');
        if (isChunked) socket.write('\r\n', 'latin1');
        socket.uncork();
        if (socket.writableNeedDrain) await drainedOrClosed(socket);
        if (socket.destroyed) throw new Error('the client closed the connection');
      }
      if (isChunked) socket.write('0\r\n\r\n', 'latin1');
    } finally {
      socket.off('close', leave);
      body.destroy();
    }
  }
}

/** Resolves when a socket takes more, or is closed. */
export function drainedOrClosed(socket: HttpSocket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}
