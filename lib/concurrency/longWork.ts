import { PmanError } from '../errors.ts';
import { freely, type Pace } from './turns.ts';

/** How many long works of requests go on at the same time: each holds an answer that grows. */
const AT_ONCE = 4;

/** With no more turns than this a work is not long: it may have come when others had used up theirs. */
const FREE_TURNS = 3;

let free = AT_ONCE;
const waiting = new Set<() => void>();

export interface LongWorkOptions {
  /** Who waits for the answer; given when nobody does any more. */
  readonly client: { readonly signal: AbortSignal };
  /** Called when the work is not done at once. */
  readonly onPause: () => void;
}

/**
 * The work of one request: short as a rule, and then done at once. When it turns out to be long it goes on in turns with
 * others, and only so many at a time.
 */
export class LongWork implements Pace {
  readonly #options: LongWorkOptions;
  #turns = 0;
  #hasPlace = false;
  #isWanted = true;

  constructor(options: LongWorkOptions) {
    this.#options = options;
  }

  get isOthersTurn(): boolean {
    return freely.isOthersTurn;
  }

  /** @throws PmanError busy when nobody waits for the answer any more */
  async turn(): Promise<void> {
    this.#requireClient();
    this.#turns += 1;
    if (this.#turns === 1) this.#options.onPause();
    if (this.#turns > FREE_TURNS && !this.#hasPlace) await this.#takePlace();
    await freely.turn();
    this.#requireClient();
  }

  /** From here on it is done to its end, whether or not its client waits for that. */
  toTheEnd(): Pace {
    this.#isWanted = false;
    return this;
  }

  /** Lets the next one go on. */
  end(): void {
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    const [next] = waiting;
    if (next === undefined) free += 1;
    else {
      waiting.delete(next);
      next();
    }
  }

  #requireClient(): void {
    if (this.#isWanted && this.#options.client.signal.aborted) {
      throw new PmanError('busy', 'the client went away');
    }
  }

  async #takePlace(): Promise<void> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.add(resolve));
    this.#hasPlace = true;
  }
}
