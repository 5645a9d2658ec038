import type { Fail, Settle } from './rawRouter.ts';

/** What a connection's stream needs of the socket that all of them share. */
export interface PeerPort {
  /** Tells what becomes of the bytes soon after; not within the call, unless the socket is closed. */
  send(bytes: Buffer | string, settle: Settle, fail: Fail): void;
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
