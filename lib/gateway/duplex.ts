import { Duplex } from 'node:stream';
import { freely, type Pace } from '../concurrency/turns.ts';
import { messageOf } from '../errors.ts';
import type { WriteDone } from './httpSocket.ts';
import type { PeerLimits, PeerPort } from './peerPort.ts';
import { pieces, type Queued } from './pieces.ts';
import { PIECE_BYTES, type SendOutcome } from './rawRouter.ts';

/**
 * After a refusal input is read and thrown away until the peer has been quiet for the first, at most for the
 * second: closing with unread input resets the connection, and the answer may be lost. Milliseconds.
 */
const LINGER_QUIET_MS = 500;
const LINGER_MS = 5_000;
/** How long what a peer sent before it left may stay unread. Milliseconds. */
const LEFTOVER_MS = 5_000;
/** Of input that was held back so much is passed on at once: some tens of the shortest requests. */
const PASSED_BYTES = 2 * 1024;
/** So many pieces of what waits are passed on whenever more comes: then what waits does not grow, unless nobody reads. */
const PASSED_PIECES = 8;
/** A character takes up to three bytes. */
const TEXT_CHARACTERS = Math.floor(PIECE_BYTES / 3);
const RETRY_MS = [0, 0, 1, 2, 4, 8, 16, 32] as const;

/** One TCP connection behind the raw router as a stream, with the parts of net.Socket that node:http calls. */
export class PeerDuplex extends Duplex {
  /** Where the peer may come from. Not `remoteAddress`: it costs something, and need not be one. */
  readonly addresses: (() => readonly string[]) | undefined;
  readonly #port: PeerPort;
  readonly #limits: PeerLimits;
  readonly #pace: Pace;
  #connected = true;
  #holding = false;
  #wasHeld = false;
  /** Input that waits for its turn, for `releaseInput`, or for a reader. */
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  #passing = false;
  #discarding = false;
  #take: ((bytes: Buffer) => boolean) | undefined;
  #lingering = false;
  #timeoutMs = 0;
  #activeAt = 0;

  /** @param pace that of passing on input which had to wait */
  constructor(port: PeerPort, limits: PeerLimits, pace: Pace = freely) {
    // Nothing is to gather in the stream: a reader that goes on would be given all of it without a turn for others.
    super({ decodeStrings: false, readableHighWaterMark: 1, writableHighWaterMark: PIECE_BYTES });
    this.#port = port;
    this.#pace = pace;
    this.addresses = port.addresses;
    this.#limits = limits;
    this.#activeAt = port.now();
  }

  /** Bytes from the peer. */
  receive(bytes: Buffer): void {
    this.#activeAt = this.#port.now();
    if (this.#discarding || this.readableEnded || this.destroyed) return;
    if (this.#held.length === 0 && this.#takesInput) this.#deliver(bytes);
    else {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      for (let i = 0; i < PASSED_PIECES && this.#takesInput && this.#held.length > 0; i += 1) {
        this.#passPiece();
      }
    }
    if (this.readableLength + this.#heldBytes > this.#limits.maxUnreadBytes) this.destroy();
  }

  /** Whether a reader gets at once what is passed on. */
  get #takesInput(): boolean {
    return !this.#holding && !this.#discarding && !this.destroyed && this.readableLength === 0;
  }

  #deliver(bytes: Buffer): void {
    if (this.#take?.(bytes) !== true) this.push(bytes);
  }

  /** Has each message shown to `take` first; what it says it has not taken goes into the stream. */
  showInput(take: ((bytes: Buffer) => boolean) | undefined): void {
    this.#take = take;
  }

  /** Keeps input back until `releaseInput`. (node:http undoes a plain pause() as it likes.) */
  holdInput(): void {
    this.#holding = true;
    this.#wasHeld = true;
  }

  /** Passes on what was kept back, in turns with other work, up to the next `holdInput`. */
  releaseInput(): void {
    this.#holding = false;
    this.#pass();
  }

  #pass(): void {
    if (!this.#passing && this.#held.length > 0) void this.#passHeld();
  }

  /** Whoever reads what is passed on may well hold again. */
  async #passHeld(): Promise<void> {
    this.#passing = true;
    // Not within the call of a reader: what comes of it would be one long piece of work.
    await this.#pace.turn();
    while (this.#held.length > 0 && this.#takesInput) {
      if (this.#pace.isOthersTurn) await this.#pace.turn();
      else this.#passPiece();
    }
    this.#passing = false;
  }

  #passPiece(): void {
    const [first] = this.#held;
    if (first === undefined) return;
    const isTaken = this.#take?.(first) === true;
    const piece = this.#wasHeld && !isTaken ? first.subarray(0, PASSED_BYTES) : first;
    if (piece.length === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(piece.length);
    this.#heldBytes -= piece.length;
    if (!isTaken) this.push(piece);
    if (this.#heldBytes === 0 && !this.#connected) this.#endInput();
  }

  /** The peer is gone, both ways. What it sent before is still read. */
  disconnected(): void {
    this.#connected = false;
    if (this.destroyed) return;
    if (this.#discarding || (this.#holding && this.#heldBytes > 0)) {
      this.destroy();
      return;
    }
    // A request that is complete at the parser is on its way to 'end' still, by ticks.
    this.once('end', () => setImmediate(() => this.destroy()));
    if (this.#heldBytes === 0) this.#endInput();
    if (this.readableLength + this.#heldBytes === 0) return;
    const timer = setTimeout(() => this.destroy(), LEFTOVER_MS).unref();
    this.once('close', () => clearTimeout(timer));
  }

  #endInput(): void {
    if (!this.destroyed) this.push(null);
  }

  /** From now on input is thrown away, and the close waits a little for the peer to stop sending. */
  discardInput(): void {
    this.#discarding = true;
    this.#lingering = true;
  }

  /** Called now and then, to serve setTimeout. */
  tick(nowMs: number): void {
    if (this.#holding) this.#activeAt = nowMs;
    if (this.#timeoutMs > 0 && nowMs - this.#activeAt >= this.#timeoutMs) {
      this.#activeAt = nowMs;
      this.emit('timeout');
    }
  }

  /** As net.Socket: 'timeout' after so long without a byte either way; exact to about half a second. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.#timeoutMs = timeoutMs;
    this.#activeAt = this.#port.now();
    if (listener !== undefined) this.once('timeout', listener);
    return this;
  }

  /** As net.Socket; keep-alive and no-delay are set on the router for all connections. */
  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** As net.Socket: destroyed when all is written; node:http calls it after the last answer. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.#destroyGently();
    else this.once('finish', () => this.#destroyGently());
  }

  #destroyGently(): void {
    if (!this.#lingering || !this.#connected) {
      this.destroy();
      return;
    }
    this.setTimeout(LINGER_QUIET_MS);
    this.once('timeout', () => this.destroy());
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.once('close', () => clearTimeout(timer));
  }

  override _read(): void {
    this.#pass();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: WriteDone): void {
    // ZeroMQ takes text as it is, and writes it as UTF-8.
    const isText = typeof chunk === 'string' && chunk.length <= TEXT_CHARACTERS && isUtf8(encoding);
    if (isText && chunk !== '') this.#sendAll([chunk], done);
    else this.#sendAll(pieces([{ chunk, encoding }]), done);
  }

  /**
   * Sends a text as one message, as UTF-8, without the cost of the stream. Nothing may be written until `done` is called. It fails
   * as a write does.
   */
  writeMessage(text: string, done: WriteDone): void {
    const isNext = this.writableLength === 0 && text.length <= TEXT_CHARACTERS;
    if (isNext) this.#sendAll([text], done);
    else this.write(text, 'utf8', done);
  }

  override _writev(queued: Queued[], done: WriteDone): void {
    this.#sendAll(pieces(queued), done);
  }

  override _destroy(error: Error | null, done: WriteDone): void {
    if (this.#connected) this.#port.close();
    this.#connected = false;
    done(error);
  }

  #sendAll(queue: readonly (Buffer | string)[], done: WriteDone): void {
    const first = queue[0];
    if (first === undefined) {
      done();
      return;
    }
    // The usual case, one small answer, without the cost of a promise.
    const settle = (outcome: SendOutcome) => {
      if (outcome === 'sent' && queue.length === 1) {
        this.#activeAt = this.#port.now();
        done();
        return;
      }
      this.#sendSlowly(queue, outcome).then(() => done(), done);
    };
    this.#port.send(first, settle, (error) => done(asError(error)));
  }

  async #sendSlowly(queue: readonly (Buffer | string)[], firstOutcome: SendOutcome): Promise<void> {
    let outcome = firstOutcome;
    let tries = 0;
    let takenAt = this.#port.now();
    for (let i = 0; ; ) {
      if (outcome === 'gone') throw new Error('the client closed the connection');
      if (outcome === 'sent') {
        takenAt = this.#port.now();
        this.#activeAt = takenAt;
        tries = 0;
        i += 1;
      } else {
        if (this.#port.now() - takenAt > this.#limits.writeTimeoutMs) {
          throw new Error('the client does not read its answer');
        }
        await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 0);
        tries += 1;
      }
      const next = queue[i];
      if (next === undefined) return;
      if (this.destroyed) throw new Error('the connection was closed');
      outcome = await new Promise((settle, fail) => this.#port.send(next, settle, fail));
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error), { cause: error });
}

function isUtf8(encoding: BufferEncoding): boolean {
  return encoding === 'utf8' || encoding === 'utf-8';
}

function pause(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (waitMs === 0) setImmediate(resolve);
    else setTimeout(resolve, waitMs);
  });
}
