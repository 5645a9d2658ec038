import { Router } from 'zeromq';
import { PmanError, systemErrorCode } from '../errors.ts';
import { listenFailure } from '../host/listenFailure.ts';

/** ZMQ_ROUTER_RAW: the router speaks bare TCP. zeromq.js has no property for it. */
const ROUTER_RAW = 41;

/** Largest message handed to ZeroMQ; a longer answer goes out in pieces, so that the high-water mark bounds what is queued. */
export const PIECE_BYTES = 64 * 1024;

/** Messages that may wait in ZeroMQ for one peer, in either direction (a raw message in is at most 8 KiB). */
const SEND_QUEUE = 32;
const RECEIVE_QUEUE = 1000;

/** What became of a message: `full` when the peer's queue has no room, `gone` when there is no such peer. */
export type SendOutcome = 'sent' | 'full' | 'gone';
export type Settle = (outcome: SendOutcome) => void;
/** Told only of what no peer can cause. */
export type Fail = (error: unknown) => void;

export interface RouterOptions {
  /** The kernel drops a peer that acknowledges nothing for this long, a closed receive window included. */
  readonly writeTimeoutMs: number;
  readonly ipv6?: boolean;
}

/**
 * A ROUTER that never waits and never loses silently: with `mandatory` and no send timeout each send
 * is decided within the call, as sent, as EAGAIN (that peer's queue is full) or as EHOSTUNREACH.
 */
export class FrontRouter extends Router {
  constructor({ writeTimeoutMs, ipv6 = false }: RouterOptions) {
    super({
      mandatory: true,
      sendTimeout: 0,
      sendHighWaterMark: SEND_QUEUE,
      receiveHighWaterMark: RECEIVE_QUEUE,
      backlog: 1024,
      linger: 0,
      tcpKeepalive: 1,
      tcpKeepaliveIdle: 60,
      tcpMaxRetransmitTimeout: writeTimeoutMs,
      ipv6,
    });
  }

  /** Offers one message, and tells what becomes of it soon after. */
  offer(frames: (Buffer | string)[], settle: Settle, fail: Fail): void {
    const refused = (error: unknown) => {
      const outcome = outcomeOf(error);
      if (outcome === undefined) fail(error);
      else settle(outcome);
    };
    try {
      this.send(frames).then(() => settle('sent'), refused);
    } catch (error) {
      // A closed socket says so at once.
      refused(error);
    }
  }
}

function outcomeOf(error: unknown): SendOutcome | undefined {
  const code = systemErrorCode(error);
  if (code === 'EAGAIN') return 'full';
  if (code === 'EHOSTUNREACH' || code === 'EBADF') return 'gone';
  return undefined;
}

/**
 * A ROUTER on plain TCP. Bytes arrive as [identity, bytes]; a new connection and the end of one as
 * [identity, empty]. Sending [identity, empty] closes a connection once all that was sent before has
 * been written to it; ZeroMQ does so only while a receive is pending.
 */
export class RawRouter extends FrontRouter {
  constructor(options: RouterOptions) {
    super(options);
    this.setBoolOption(ROUTER_RAW, true);
  }
}

/** Binds and returns the port. Rejects with a PmanError that names the address in one sentence. */
export async function bindRouter(
  router: Router,
  { protocol, ip, port }: { readonly protocol: string; readonly ip: string; readonly port: number },
): Promise<number> {
  const address = `${protocol}://${ip}:${port}`;
  try {
    await router.bind(`${protocol}://${ip}:${port === 0 ? '*' : port}`);
  } catch (error) {
    router.close();
    const { reason, hint } = listenFailure(error);
    throw new PmanError('unavailable', `Cannot listen on ${address}: ${reason}.`, {
      hint,
      cause: error,
    });
  }
  return Number(router.lastEndpoint?.split(':').at(-1));
}
