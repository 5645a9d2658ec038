import type { Soon } from '../concurrency/soon.ts';
import { PmanError } from '../errors.ts';

/** Requests that may wait for a listener before others are turned away. */
const MAX_WAITING = 10_000;

/** Who waits for a listener; given when he has gone. */
export interface Client {
  readonly signal: AbortSignal;
}

/**
 * The pool of listeners: at most `count` requests are worked on at once, the others wait in order. A request holds
 * its listener until it is answered, so that a `run` that is not threaded holds it until the job has ended.
 */
export class Listeners {
  /** How many there are. */
  readonly count: number;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.count = count;
    this.#free = count;
  }

  get busy(): number {
    return this.count - this.#free;
  }

  /** Requests that wait for one. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Does a piece of work as soon as a listener is free. Whatever the work does, its listener is free again after; before,
   * when the work calls `release`.
   * @param client looked at only while all listeners are busy
   * @throws PmanError busy when too many wait already; what the work throws
   */
  work<T>(client: Client, piece: (release: () => void) => Promise<T>): Promise<T>;
  work<T>(client: Client, piece: (release: () => void) => Soon<T>): Soon<T>;
  work<T>(client: Client, piece: (release: () => void) => Soon<T>): Soon<T> {
    if (this.#free === 0) return this.#wait(client.signal).then(() => this.#holding(piece));
    this.#free -= 1;
    return this.#holding(piece);
  }

  #holding<T>(piece: (release: () => void) => Soon<T>): Soon<T> {
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#release();
      isHeld = false;
    };
    let done: Soon<T>;
    try {
      done = piece(release);
    } catch (error) {
      release();
      throw error;
    }
    if (done instanceof Promise) return done.finally(release);
    release();
    return done;
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new PmanError('busy', `${MAX_WAITING} requests wait for a listener already`, {
        hint: 'send "threaded": true with long runs, or start pman with more --listeners',
      });
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        // Nobody is there any more to answer to.
        this.#waiting.delete(next);
        reject(new PmanError('busy', 'the client went away before a listener was free'));
      };
      const next = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      if (signal.aborted) leave();
      else {
        this.#waiting.add(next);
        signal.addEventListener('abort', leave, { once: true });
      }
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
