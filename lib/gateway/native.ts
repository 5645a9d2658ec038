import { Duplex } from 'node:stream';
import { buffer as readAll } from 'node:stream/consumers';
import { Fairness } from '../concurrency/fairness.ts';
import { messageOf, systemErrorCode } from '../errors.ts';
import type { HttpFront } from './httpFront.ts';
import type { HttpFrontOptions, HttpSocket } from './httpSocket.ts';
import type { FrontRouter, SendOutcome } from './rawRouter.ts';
import type { GatewayReply, GatewayRequest } from './types.ts';

const HTTP_START = /^[A-Z]+ [^\r\n]* HTTP\/\d\.\d\r?\n/;
const RETRY_MS = 10;

/** Messages of one client that may be under way; more are refused with 429. */
const MAX_UNDER_WAY = 1000;

export interface NativeFrontOptions extends HttpFrontOptions {
  readonly http: HttpFront;
}

/**
 * `--rawmode 0`: requests as ZeroMQ messages. A message's last frame holds the JSON request, or a
 * whole HTTP request as text; the frames before it (identity, and the empty one of a REQ) are sent back
 * before the answer: the JSON body, or the whole HTTP text.
 */
export class NativeFront {
  readonly #router: FrontRouter;
  readonly #options: NativeFrontOptions;
  readonly #underWay = new Map<string, number>();
  readonly #leaving = new AbortController();
  #running: Promise<void> | undefined;
  #accepting = true;

  constructor(router: FrontRouter, options: NativeFrontOptions) {
    this.#router = router;
    this.#options = options;
  }

  /** Starts reading. */
  start(): void {
    this.#running ??= this.#receiveAll();
  }

  /** From now on messages are dropped. */
  refuseNew(): void {
    this.#accepting = false;
  }

  /** Resolves when no message is under way, at the latest after `graceMs`. */
  async idle(graceMs: number): Promise<void> {
    const until = performance.now() + graceMs;
    while (this.#underWay.size > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Closes the router; answers not yet taken have `lingerMs` to get out. */
  async close(lingerMs: number): Promise<void> {
    this.#leaving.abort();
    this.#router.linger = lingerMs;
    this.#router.close();
    await this.#running;
  }

  async #receiveAll(): Promise<void> {
    const { log } = this.#options;
    const fairness = new Fairness();
    while (!this.#router.closed) {
      if (fairness.isOthersTurn) await fairness.turn();
      try {
        this.#take(await this.#router.receive());
      } catch (error) {
        if (this.#router.closed) return;
        if (systemErrorCode(error) === 'EAGAIN') continue;
        log.error('reading from the front socket failed', { error });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  #take(frames: Buffer[]): void {
    const content = frames.at(-1);
    const identity = frames[0];
    if (!this.#accepting || content === undefined || identity === undefined || frames.length < 2) {
      return;
    }
    const client = identity.toString('hex');
    const count = this.#underWay.get(client) ?? 0;
    this.#underWay.set(client, count + 1);
    const work =
      count >= MAX_UNDER_WAY
        ? bodyOf(this.#options.refusal(429, 'Too many messages of this client are under way.'))
        : this.#answer(content);
    void work
      .then((answer) => this.#send([...frames.slice(0, -1), answer]))
      .catch((error: unknown) => {
        this.#options.log.error('a message could not be answered', { reason: messageOf(error) });
      })
      .finally(() => {
        const left = (this.#underWay.get(client) ?? 1) - 1;
        if (left > 0) this.#underWay.set(client, left);
        else this.#underWay.delete(client);
      });
  }

  async #answer(content: Buffer): Promise<Buffer> {
    if (HTTP_START.test(content.toString('latin1', 0, 8192))) return this.#answerHttp(content);
    const { admit, handler, log, refusal } = this.#options;
    const request: GatewayRequest = {
      method: 'POST',
      target: '/api/v1/cmd',
      httpVersion: '1.1',
      rawHeaders: [],
      authorization: undefined,
      body: content,
      // ZeroMQ does not say when a client leaves.
      signal: new AbortController().signal,
    };
    try {
      const refused = await admit?.(request);
      return await bodyOf(refused ?? (await handler(request)));
    } catch (error) {
      log.error('a request handler threw', { error, method: request.method });
      return bodyOf(refusal(500, 'The server failed to handle this request.'));
    }
  }

  async #answerHttp(content: Buffer): Promise<Buffer> {
    const exchange = new MemorySocket(content);
    this.#options.http.attach(exchange);
    return exchange.written;
  }

  async #send(frames: Buffer[]): Promise<void> {
    const { writeTimeoutMs } = this.#options.limits;
    const until = performance.now() + writeTimeoutMs;
    while (!this.#leaving.signal.aborted && performance.now() < until) {
      const outcome = await new Promise<SendOutcome>((settle, fail) => {
        this.#router.offer(frames, settle, fail);
      });
      if (outcome !== 'full') return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function bodyOf({ body }: GatewayReply): Promise<Buffer> {
  if (typeof body === 'string') return Buffer.from(body);
  return Buffer.isBuffer(body) ? body : readAll(body);
}

/** One HTTP request held in memory, as the stream that node:http reads it from and answers it on. */
class MemorySocket extends Duplex implements HttpSocket {
  /** All that was written, once the other side is done. */
  readonly written: Promise<Buffer>;
  readonly #chunks: Buffer[] = [];

  constructor(request: Buffer) {
    super();
    this.written = new Promise((resolve) => {
      this.once('close', () => resolve(Buffer.concat(this.#chunks)));
    });
    this.on('error', () => this.destroy());
    this.push(request);
    this.push(null);
  }

  setTimeout(): this {
    return this;
  }

  discardInput(): void {}

  holdInput(): void {}

  releaseInput(): void {}

  destroySoon(): void {
    this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}
