import { Duplex } from 'node:stream';
import { PIECE_BYTES, type SendOutcome } from './rawRouter.ts';

/** What a connection's stream needs of the socket that all of them share. */
export interface PeerPort {
  send(bytes: Buffer): Promise<SendOutcome>;
  /** Closes the connection once everything sent before is written. */
  close(): void;
  /** A clock that is read often and need not be exact. Milliseconds. */
  now(): number;
  /** Where the peer may come from; see RequestHead.from. */
  readonly addresses?: () => readonly string[];
}

export interface PeerLimits {
  /** Bytes that may wait for a reader here; a peer that sends more is cut off. */
  readonly maxUnreadBytes: number;
  /** The peer takes nothing for this long: the stream is destroyed. Milliseconds. */
  readonly writeTimeoutMs: number;
}

/**
 * After a refusal input is read and thrown away until the peer has been quiet for the first, at most for the
 * second: closing with unread input resets the connection, and the answer may be lost. Milliseconds.
 */
const LINGER_QUIET_MS = 500;
const LINGER_MS = 5_000;
/** How long what a peer sent before it left may stay unread. Milliseconds. */
const LEFTOVER_MS = 5_000;
const JOIN_BYTES = 16 * 1024;
const RETRY_MS = [0, 0, 1, 2, 4, 8, 16, 32] as const;

interface Queued {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/** One TCP connection behind the raw router as a stream, with the parts of net.Socket that node:http calls. */
export class PeerDuplex extends Duplex {
  /** Where the peer may come from. Not `remoteAddress`: it costs something, and need not be one. */
  readonly addresses: (() => readonly string[]) | undefined;
  readonly #port: PeerPort;
  readonly #limits: PeerLimits;
  #connected = true;
  #holding = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #discarding = false;
  #lingering = false;
  #timeoutMs = 0;
  #activeAt = 0;

  constructor(port: PeerPort, limits: PeerLimits) {
    super({ decodeStrings: false, writableHighWaterMark: PIECE_BYTES });
    this.#port = port;
    this.addresses = port.addresses;
    this.#limits = limits;
    this.#activeAt = port.now();
  }

  /** Bytes from the peer. */
  receive(bytes: Buffer): void {
    this.#activeAt = this.#port.now();
    if (this.#discarding || this.readableEnded || this.destroyed) return;
    if (!this.#holding && this.#held.length === 0) this.push(bytes);
    else {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
    }
    if (this.readableLength + this.#heldBytes > this.#limits.maxUnreadBytes) this.destroy();
  }

  /** Keeps input back until `releaseInput`. (node:http undoes a plain pause() as it likes.) */
  holdInput(): void {
    this.#holding = true;
  }

  /** Passes on what was kept back, up to the next `holdInput`. */
  releaseInput(): void {
    this.#holding = false;
    const held = this.#held;
    let passed = 0;
    for (const bytes of held) {
      // Whoever reads what is passed on may well hold again.
      if (this.#holding || this.#discarding || this.destroyed) break;
      this.push(bytes);
      this.#heldBytes -= bytes.length;
      passed += 1;
    }
    this.#held = held.slice(passed);
  }

  /** The peer is gone, both ways. What it sent before is still read. */
  disconnected(): void {
    this.#connected = false;
    if (this.destroyed) return;
    if (this.#discarding || this.#heldBytes > 0) {
      this.destroy();
      return;
    }
    // A request that is complete at the parser is on its way to 'end' still, by ticks.
    this.once('end', () => setImmediate(() => this.destroy()));
    this.push(null);
    if (this.readableLength === 0) return;
    const timer = setTimeout(() => this.destroy(), LEFTOVER_MS).unref();
    this.once('close', () => clearTimeout(timer));
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

  override _read(): void {}

  override _write(
    chunk: Buffer | string,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#sendAll(pieces([{ chunk, encoding }]), done);
  }

  override _writev(queued: Queued[], done: (error?: Error | null) => void): void {
    this.#sendAll(pieces(queued), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#connected) this.#port.close();
    this.#connected = false;
    done(error);
  }

  #sendAll(queue: Buffer[], done: (error?: Error | null) => void): void {
    const first = queue[0];
    if (first === undefined) {
      done();
      return;
    }
    // The usual case, one small answer, without the cost of an async function.
    this.#port.send(first).then((outcome) => {
      if (outcome === 'sent' && queue.length === 1) {
        this.#activeAt = this.#port.now();
        done();
        return;
      }
      this.#sendSlowly(queue, outcome).then(() => done(), done);
    }, done);
  }

  async #sendSlowly(queue: Buffer[], firstOutcome: SendOutcome): Promise<void> {
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
      outcome = await this.#port.send(next);
    }
  }
}

function pause(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (waitMs === 0) setImmediate(resolve);
    else setTimeout(resolve, waitMs);
  });
}

/**
 * The same bytes in messages worth sending: small chunks joined (head and body of one answer), large
 * ones cut without a copy. Never an empty one: that would close the connection.
 */
export function pieces(queued: readonly Queued[]): Buffer[] {
  const out: Buffer[] = [];
  let small: Queued[] = [];
  let smallBytes = 0;
  const flush = (): void => {
    if (smallBytes > 0) out.push(join(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const item of queued) {
    const length = byteLength(item);
    if (length === 0) continue;
    if (smallBytes + length > JOIN_BYTES) flush();
    if (length <= JOIN_BYTES) {
      small.push(item);
      smallBytes += length;
      continue;
    }
    const bytes = toBuffer(item);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      out.push(bytes.subarray(at, at + PIECE_BYTES));
    }
  }
  flush();
  return out;
}

function byteLength({ chunk, encoding }: Queued): number {
  if (typeof chunk !== 'string') return chunk.length;
  return encoding === 'latin1' ? chunk.length : Buffer.byteLength(chunk, encoding);
}

function toBuffer({ chunk, encoding }: Queued): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

function join(items: readonly Queued[], total: number): Buffer {
  const [only] = items;
  if (items.length === 1 && only !== undefined) return toBuffer(only);
  const joined = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { chunk, encoding } of items) {
    if (typeof chunk === 'string') at += joined.write(chunk, at, encoding);
    else {
      joined.set(chunk, at);
      at += chunk.length;
    }
  }
  return joined;
}
