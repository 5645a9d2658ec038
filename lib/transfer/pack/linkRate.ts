/** So much is looked at to tell how fast a link is. */
const WINDOW_BYTES = 512 * 1024;
/** Deflating is slower than a link that takes this much a millisecond. */
const FAST_BYTES = 32 * 1024;
/** Of the time, spent waiting for the link: from here on it is what holds up; below the other one it is not any more. */
const WAITS = 0.5;
const WAITS_NO_MORE = 0.1;

/**
 * Tells whether it pays to deflate what is sent: the link is slower than deflating would be, and the sender has time.
 * Measured and not guessed: an address of this machine may be the end of a tunnel through a slow network.
 */
export class LinkRate {
  readonly #now: () => number;
  #since: number;
  #bytes = 0;
  #waitedMs = 0;
  #isSlow = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** @param waitedMs how long nothing else could be done than to wait until these bytes could go */
  sent(bytes: number, waitedMs: number): void {
    this.#bytes += bytes;
    this.#waitedMs += waitedMs;
    if (this.#bytes < WINDOW_BYTES) return;
    const now = this.#now();
    const ms = Math.max(1, now - this.#since);
    const waits = this.#waitedMs / ms;
    this.#isSlow = this.#bytes / ms < FAST_BYTES && waits > (this.#isSlow ? WAITS_NO_MORE : WAITS);
    this.#since = now;
    this.#bytes = 0;
    this.#waitedMs = 0;
  }
}
