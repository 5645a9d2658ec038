import { Fairness } from '../concurrency/fairness.ts';
import { systemErrorCode } from '../errors.ts';
import type { Logger } from '../log.ts';
import { PeerDuplex } from './duplex.ts';
import type { PeerAddresses } from './peerAddresses.ts';
import type { PeerLimits, PeerPort } from './peerPort.ts';
import type { RawRouter, SendOutcome } from './rawRouter.ts';
import { SendQueue } from './sendQueue.ts';

const TICK_MS = 250;
/** How long a closed identity is remembered, so that a late notice from it is not taken for a new connection. */
const FORGET_MS = 30_000;
const NOTHING = Buffer.alloc(0);

export interface RawFrontOptions {
  readonly limits: PeerLimits;
  /** One more is answered with `full` and closed. */
  readonly maxConnections: number;
  /** The bytes of that answer; undefined: it is closed in silence. */
  readonly full: Buffer | undefined;
  /** Tells where connections come from; undefined: nobody asks. */
  readonly addresses: PeerAddresses | undefined;
  readonly log: Logger;
  readonly onConnection: (peer: PeerDuplex) => void;
}

interface Closing {
  readonly id: Buffer;
  readonly sinceMs: number;
  accepted: boolean;
}

/**
 * Turns the frames of a raw router into one stream for each connection. A receive is always pending,
 * which is also what lets ZeroMQ carry out closes.
 */
export class RawFront {
  readonly #router: RawRouter;
  readonly #queue: SendQueue;
  readonly #options: RawFrontOptions;
  readonly #peers = new Map<number, PeerDuplex>();
  readonly #closing = new Map<number, Closing>();
  readonly #addresses: PeerAddresses | undefined;
  /** Runs while there are connections, or closed ones to remember: an idle server sleeps. */
  #timer: NodeJS.Timeout | undefined;
  #nowMs = performance.now();
  #accepting = true;
  #isFull = false;
  #running: Promise<void> | undefined;
  readonly #failed = (error: unknown) =>
    this.#options.log.error('writing to the front socket failed', { error });

  constructor(router: RawRouter, options: RawFrontOptions) {
    this.#router = router;
    this.#queue = new SendQueue(router);
    this.#options = options;
    this.#addresses = options.addresses;
  }

  /** Starts reading. */
  start(): void {
    this.#running ??= this.#receiveAll();
  }

  /** From now on a new connection is closed at once. */
  refuseNew(): void {
    this.#accepting = false;
  }

  /** What runs on these connections is HTTP's to wait for; see HttpFront.stop. */
  async idle(_graceMs: number): Promise<void> {}

  /** Destroys what is left and closes the router; gives unsent closes `lingerMs` to get out. */
  async close(lingerMs: number): Promise<void> {
    this.#accepting = false;
    for (const peer of this.#peers.values()) peer.destroy();
    const until = performance.now() + lingerMs;
    while (performance.now() < until && [...this.#closing.values()].some((c) => !c.accepted)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.#retryCloses();
    }
    this.#rest();
    this.#router.linger = lingerMs;
    this.#router.close();
    await this.#running;
  }

  async #receiveAll(): Promise<void> {
    const fairness = new Fairness();
    while (!this.#router.closed) {
      if (fairness.isOthersTurn) await fairness.turn();
      try {
        const [id, bytes] = await this.#router.receive();
        if (id !== undefined && bytes !== undefined) this.#take(id, bytes);
      } catch (error) {
        if (this.#router.closed) return;
        if (systemErrorCode(error) === 'EAGAIN') continue;
        this.#options.log.error('reading from the front socket failed', { error });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  #take(id: Buffer, bytes: Buffer): void {
    // A raw identity is a zero byte and a number of four bytes.
    const key = id.readUInt32BE(1);
    const peer = this.#peers.get(key);
    if (peer !== undefined) {
      if (bytes.length > 0) peer.receive(bytes);
      else {
        this.#peers.delete(key);
        this.#addresses?.left(key);
        peer.disconnected();
      }
      return;
    }
    if (bytes.length > 0) return;
    if (this.#closing.delete(key)) return;
    this.#connect(key, id);
  }

  #connect(key: number, id: Buffer): void {
    if (!this.#accepting || this.#hasNoRoom(id)) {
      this.#closePeer(key, id);
      return;
    }
    const { limits, log, onConnection } = this.#options;
    const port: PeerPort = {
      send: (bytes, settle, fail) => this.#queue.send(id, bytes, settle, fail),
      close: () => this.#closePeer(key, id),
      now: () => this.#nowMs,
      addresses: () => this.#addresses?.of(key) ?? [],
    };
    this.#watch();
    this.#addresses?.came(key);
    const peer = new PeerDuplex(port, limits);
    this.#peers.set(key, peer);
    peer.on('error', (error) => log.debug('connection ended early', { reason: error.message }));
    onConnection(peer);
    // Until it was asked the first time a stream keeps what comes, and then gives all of it without a turn for others.
    peer.read(0);
  }

  /** Whether there are as many connections as there may be; the one in question is told so. */
  #hasNoRoom(id: Buffer): boolean {
    const { maxConnections, full, log } = this.#options;
    const wasFull = this.#isFull;
    this.#isFull = this.#peers.size >= maxConnections;
    if (!this.#isFull) return false;
    if (full !== undefined) this.#queue.send(id, full, () => undefined, this.#failed);
    if (!wasFull) log.warn('new connections are refused', { connections: maxConnections });
    return true;
  }

  #closePeer(key: number, id: Buffer): void {
    this.#peers.delete(key);
    this.#watch();
    this.#addresses?.left(key);
    const closing: Closing = { id, sinceMs: this.#nowMs, accepted: false };
    this.#closing.set(key, closing);
    this.#offerClose(closing);
  }

  #offerClose(closing: Closing): void {
    // A full queue has no room for the close either: it is tried again, until the kernel has given the peer up.
    const settle = (outcome: SendOutcome) => {
      closing.accepted = outcome !== 'full';
    };
    this.#queue.send(closing.id, NOTHING, settle, this.#failed);
  }

  #retryCloses(): void {
    for (const closing of this.#closing.values()) {
      if (!closing.accepted) this.#offerClose(closing);
    }
  }

  #watch(): void {
    if (this.#timer !== undefined) return;
    this.#nowMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    this.#nowMs = performance.now();
    for (const peer of this.#peers.values()) peer.tick(this.#nowMs);
    this.#retryCloses();
    for (const [key, closing] of this.#closing) {
      if (closing.accepted && this.#nowMs - closing.sinceMs > FORGET_MS) this.#closing.delete(key);
    }
    if (this.#peers.size + this.#closing.size === 0) this.#rest();
  }
}
