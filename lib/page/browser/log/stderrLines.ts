import { Hits } from './lineHits.ts';
import type { Find } from './logFinder.ts';

/** How many lines of stderr are asked for at once. */
const MOST_LINES = 100_000;

/** Which lines are of stderr, as far as that was asked for. */
export class StderrLines {
  readonly #find: Find;
  readonly #stopper = new AbortController();
  #learning: Promise<void> | undefined;
  readonly hits = new Hits();
  /** Whether they are left out. */
  isHidden = false;

  constructor(find: Find) {
    this.#find = find;
  }

  /**
   * Learns it of all lines that are there. Whoever asks meanwhile waits for the same.
   * @param total tells how many there are by now
   * @throws Error when pman refuses it, or gets no further
   */
  know(total: () => number): Promise<void> {
    this.#learning ??= this.#learn(total).finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  close(): void {
    this.#stopper.abort();
  }

  async #learn(total: () => number): Promise<void> {
    while (this.hits.searched < total()) {
      const { searched } = this.hits;
      const query = { stream: 'stderr', limit: MOST_LINES, from: searched + 1 } as const;
      this.hits.add(await this.#find(query, this.#stopper.signal));
      if (this.hits.searched <= searched) throw new Error('pman gets no further in this log');
    }
  }
}
