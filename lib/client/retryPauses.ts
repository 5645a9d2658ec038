import { onAbort } from '../onAbort.ts';
import { isPassing, type PmanClientError } from './clientError.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** When it is tried again after a failure that may pass, and when it is given up. */
export class Retries {
  #patienceMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onPause: ((pauseMs: number, failure: PmanClientError) => void) | undefined;
  #since: number | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  /**
   * @param patienceMs for how long nothing may work out
   * @param onPause told of each pause before it, and why it is made
   */
  constructor(
    patienceMs: number,
    signal: AbortSignal | undefined,
    onPause?: (pauseMs: number, failure: PmanClientError) => void,
  ) {
    this.#patienceMs = patienceMs;
    this.#signal = signal;
    this.#onPause = onPause;
  }

  /** Has no less patience than this from now on. */
  extend(patienceMs: number): void {
    this.#patienceMs = Math.max(this.#patienceMs, patienceMs);
  }

  /** Something has worked out: the patience begins anew. */
  reset(): void {
    this.#since = undefined;
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /**
   * Waits until it is time to try again.
   * @throws the failure, when it is none that passes or the patience is over; the signal's reason when that is given
   */
  async pause(failure: unknown): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#since ??= Date.now();
    if (!isPassing(failure) || Date.now() - this.#since >= this.#patienceMs) throw failure;
    const asked = (failure.retryAfterSeconds ?? 0) * 1000;
    // Clients that a server has lost together do not come back together.
    const own = this.#pauseMs * (0.75 + Math.random() / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    const pauseMs = Math.min(Math.max(own, asked), this.#patienceMs);
    this.#onPause?.(pauseMs, failure);
    await sleep(pauseMs, this.#signal);
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, ms);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal?.reason);
    });
  });
}
