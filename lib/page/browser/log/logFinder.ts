import type { FindQuery, FoundLines } from '../../../client/index.ts';
import { Hits } from './lineHits.ts';
import { type Query, queryIn, rangesIn, type TextRange } from './logQuery.ts';

/** Asks pman which lines fit. */
export type Find = (query: FindQuery, signal: AbortSignal) => Promise<FoundLines>;

export interface FinderOptions {
  readonly find: Find;
  /** How many lines there are now. */
  readonly total: () => number;
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
}

/** How many lines one search tells. */
const MOST_HITS = 10_000;

/** What somebody looks for in a log, and where it was found. */
export class LogFinder {
  readonly #options: FinderOptions;
  #search = new AbortController();
  #query: Query | undefined;
  #isSearching = false;
  #hits = new Hits();

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** As it was typed; empty: nothing is looked for. */
  get typed(): string {
    return this.#query?.typed ?? '';
  }

  get hits(): Hits {
    return this.#hits;
  }

  get isSearching(): boolean {
    return this.#isSearching;
  }

  /** Looks for something else; what was looked for before is given up. */
  async find(typed: string): Promise<void> {
    this.#search.abort();
    this.#search = new AbortController();
    this.#isSearching = false;
    this.#query = queryIn(typed);
    this.#hits = new Hits();
    await this.#more();
  }

  /**
   * Goes to the next hit or to the one before; behind the last one it looks for more.
   * @param from tells the line from which the first one is looked for
   * @returns the line; undefined when there is none, or something else is looked for by now
   */
  async go(step: 1 | -1, from: () => number): Promise<number | undefined> {
    const hits = this.#hits;
    const isLast = step === 1 && hits.place === hits.lines.length;
    if (isLast && hits.searched > 0 && hits.searched < this.#options.total()) await this.#more();
    return hits === this.#hits ? hits.go(step, from()) : undefined;
  }

  /** Where in a line it is. pman has looked at the lines with hits in time: so does the page. */
  rangesIn(line: number, text: string): readonly TextRange[] {
    return this.#hits.has(line) ? rangesIn(text, this.#query?.expression) : [];
  }

  close(): void {
    this.#search.abort();
  }

  async #more(): Promise<void> {
    const { find, onChange, onError } = this.#options;
    const hits = this.#hits;
    const { signal } = this.#search;
    const query = this.#query?.query;
    if (query === undefined) return;
    this.#isSearching = true;
    onChange();
    try {
      hits.add(await find({ ...query, limit: MOST_HITS, from: hits.searched + 1 }, signal));
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    // A search that was given up does not end the one that has taken its place.
    if (!signal.aborted) this.#isSearching = false;
  }
}
