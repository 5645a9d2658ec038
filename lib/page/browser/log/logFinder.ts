import type { FindQuery, FoundLines } from '../../../client/index.ts';
import { Hits } from './lineHits.ts';
import { type Query, queryIn, rangesIn, type TextRange } from './logQuery.ts';

/** A line as it is shown. */
export interface HeldLine {
  /** What of it is in view. */
  readonly shown: string;
  /** As it was written; of a long one only a part. */
  readonly written: string;
  readonly isCut: boolean;
}

/** Asks pman which lines fit. */
export type Find = (query: FindQuery, signal: AbortSignal) => Promise<FoundLines>;

export interface FinderOptions {
  readonly find: Find;
  /** How many lines there are now. */
  readonly total: () => number;
  /** The output that is shown alone; undefined: both are. */
  readonly stream: () => 'stdout' | undefined;
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

  /**
   * Where in a line it is; all of the line where that cannot be told. What may take for ever is not run here, where nothing
   * could end it: then the place is the one that pman has told, of the first hit in the line.
   */
  rangesIn(line: number, { shown, written, isCut }: HeldLine): readonly TextRange[] {
    const query = this.#query;
    if (query === undefined || !this.#hits.has(line)) return [];
    const all: readonly TextRange[] = shown === '' ? [] : [[0, shown.length]];
    if (query.expression !== undefined) {
      const ranges = rangesIn(shown, query.expression);
      return ranges.length === 0 && isCut ? all : ranges;
    }
    const told = this.#hits.range(line);
    // What is overwritten counts for pman.
    if (told === undefined || isCut || isOverwritten(written) || told[1] > shown.length) return all;
    return told[0] === told[1] ? [] : [told];
  }

  close(): void {
    this.#search.abort();
  }

  async #more(): Promise<void> {
    const { find, onChange, onError } = this.#options;
    const hits = this.#hits;
    const { signal } = this.#search;
    const query = this.#query?.query;
    const stream = this.#options.stream();
    if (query === undefined) return;
    this.#isSearching = true;
    onChange();
    try {
      hits.add(
        await find(
          { ...query, ...(stream && { stream }), limit: MOST_HITS, from: hits.searched + 1 },
          signal,
        ),
      );
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    // A search that was given up does not end the one that has taken its place.
    if (!signal.aborted) this.#isSearching = false;
  }
}

/** Whether something of a line is not shown but for orders to a terminal, so that characters have other places. */
function isOverwritten(written: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  return /[\0-\u0008\u000b-\u001a\u001c-\u001f\u007f]/.test(written.replace(/\r$/, ''));
}
