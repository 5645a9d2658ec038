import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { AnswerReader } from './answer.ts';

export type { Answer } from './answer.ts';

export interface RequestOptions {
  /** Ordered pairs or an object; Host and Content-Length are added unless they are there. */
  readonly headers?: ReadonlyArray<readonly [string, string]> | Readonly<Record<string, string>>;
  /** Sent as it is; an object is sent as JSON. */
  readonly body?: string | Uint8Array | object;
  /** How long to wait for the whole answer, in ms. */
  readonly timeoutMs?: number;
}

/** How a connection stands once nothing more is read from it. */
export type ConnectionState = 'open' | 'closed' | 'reset';

export interface SendOptions {
  /** Sizes of the pieces to write first, each in a TCP segment of its own; the rest follows. */
  readonly pieces?: readonly number[];
  /** Pause after each piece, in ms. */
  readonly gapMs?: number;
}

/** A TCP connection on which a test writes bytes and reads whole HTTP answers. */
export class Wire {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #state: ConnectionState = 'open';
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#reader.push(chunk);
      this.#wake();
    });
    const ended = (state: ConnectionState) => () => {
      if (this.#state === 'open') this.#state = state;
      this.#reader.end();
      this.#wake();
    };
    socket.on('end', ended('closed'));
    socket.on('close', ended('closed'));
    socket.on('error', ended('reset'));
  }

  /** Opens a connection to a port of this machine; rejects with the system's error. */
  static open(port: number, host = '127.0.0.1'): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Wire(socket));
      });
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Everything that came and is not part of an answer already taken. */
  get unread(): Buffer {
    return this.#reader.unread;
  }

  async send(bytes: string | Uint8Array, { pieces = [], gapMs = 20 }: SendOptions = {}) {
    const all = Buffer.from(bytes as Uint8Array);
    let at = 0;
    for (const size of pieces) {
      this.#socket.write(all.subarray(at, at + size));
      at += size;
      await sleep(gapMs);
    }
    if (at < all.length) this.#socket.write(all.subarray(at));
  }

  /** The next whole answer (interim 1xx ones too), or null when the connection ended before one. */
  async answer({ timeoutMs = 60_000, toHead = false } = {}): Promise<Answer | null> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const answer = this.#reader.take(toHead);
      if (answer || this.#state !== 'open') return answer;
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new Error(`no whole answer within ${timeoutMs} ms, only ${this.unread.length} bytes`);
      }
      await this.#news(left);
    }
  }

  /** How the connection stands; waits up to `timeoutMs` for it to close. */
  async settled(timeoutMs: number): Promise<ConnectionState> {
    const deadline = Date.now() + timeoutMs;
    while (this.#state === 'open' && Date.now() < deadline) await this.#news(deadline - Date.now());
    return this.#state;
  }

  /** Says that nothing more will be sent; reading goes on. */
  finish(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #news(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The bytes of one HTTP/1.1 request. */
export function requestBytes(
  method: string,
  path: string,
  { headers = {}, body }: Pick<RequestOptions, 'headers' | 'body'> = {},
): Buffer {
  const content = bodyBytes(body);
  const given: ReadonlyArray<readonly [string, string]> = Array.isArray(headers)
    ? headers
    : Object.entries(headers);
  const has = (name: string) => given.some(([key]) => key.toLowerCase() === name);
  const lines = [`${method} ${path} HTTP/1.1`];
  if (!has('host')) lines.push('Host: localhost');
  for (const [key, value] of given) lines.push(`${key}: ${value}`);
  if (content.length > 0 && !has('content-length') && !has('transfer-encoding')) {
    lines.push(`Content-Length: ${content.length}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), content]);
}

function bodyBytes(body: RequestOptions['body']): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
}

/** One request on a connection of its own. Rejects when no whole answer came. */
export async function request(
  port: number,
  method: string,
  path: string,
  { timeoutMs, ...options }: RequestOptions = {},
): Promise<Answer> {
  const wire = await Wire.open(port);
  try {
    await wire.send(requestBytes(method, path, options));
    const answer = await wire.answer({
      toHead: method === 'HEAD',
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    if (!answer) throw new Error(`${method} ${path}: the connection was closed without an answer`);
    return answer;
  } finally {
    wire.destroy();
  }
}
