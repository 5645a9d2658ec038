import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PmanError } from '../../errors.ts';
import type { Logger } from '../../log.ts';

export interface IndexingOptions {
  /** Reads a record, and takes in what is to be known of it. What it throws passes: it is tried again. */
  readonly learn: (root: string) => void;
  /** How long records are read before anything else is done, in milliseconds. */
  readonly firstMs: number;
  readonly log: Logger;
}

/** How long records are read at a time while others are served, in milliseconds. */
const SLICE_MS = 10;
/** How long to wait after a record that could not be read, in milliseconds. */
const RETRY_MS = 200;

/**
 * The records of which nothing is known but their names: those of a database that somebody else has written, or whose
 * index was lost. Reading one takes about a quarter of a millisecond, so that a hundred thousand of them keep a
 * server busy for half a minute. What can be read in a moment is read at once; for the rest the server begins to
 * serve, and reads on in between.
 */
export class Indexing {
  readonly #options: IndexingOptions;
  readonly #unread = new Set<string>();
  #of = 0;
  #reading: Promise<void> | undefined;
  #isStuck = false;
  #closed = false;

  constructor(options: IndexingOptions) {
    this.#options = options;
  }

  /** How many of how many records have been read; undefined when nothing is left to be read. */
  get progress(): { readonly read: number; readonly of: number } | undefined {
    if (this.#unread.size === 0) return undefined;
    return { read: this.#of - this.#unread.size, of: this.#of };
  }

  /** Resolves when all records have been read, or never will be. */
  get finished(): Promise<void> {
    return this.#reading ?? Promise.resolve();
  }

  has(root: string): boolean {
    return this.#unread.has(root);
  }

  /** All there is to know of a record is known, from elsewhere. */
  skip(root: string): void {
    this.#unread.delete(root);
  }

  /**
   * Refuses what can only be answered by one that knows all records.
   * @throws PmanError unavailable while some are not read
   */
  require(): void {
    const { progress } = this;
    if (progress === undefined) return;
    const { read, of } = progress;
    throw new PmanError(
      'unavailable',
      `the database is being read: ${read} of ${of} records so far, and the answer may be in the others`,
      { hint: 'try again in a few seconds; the action hello about health tells how far it is' },
    );
  }

  /** Begins to read records; when it returns, all of them have been read or `firstMs` are over. */
  begin(roots: Iterable<string>): void {
    if (this.#unread.size === 0) this.#of = 0;
    const before = this.#unread.size;
    for (const root of roots) this.#unread.add(root);
    this.#of += this.#unread.size - before;
    if (this.#reading !== undefined) return;
    this.#readFor(this.#options.firstMs);
    if (this.#unread.size === 0) return;
    this.#options.log.info('the database is being read: there is no index of it', this.progress);
    this.#reading = this.#readOn().finally(() => {
      this.#reading = undefined;
    });
  }

  close(): void {
    this.#closed = true;
  }

  async #readOn(): Promise<void> {
    while (this.#unread.size > 0 && !this.#closed) {
      await (this.#isStuck ? sleep(RETRY_MS, undefined, { ref: false }) : nextTurn());
      if (!this.#closed) this.#readFor(SLICE_MS);
    }
    if (!this.#closed) this.#options.log.info('the database has been read', { records: this.#of });
  }

  #readFor(ms: number): void {
    const until = performance.now() + ms;
    this.#isStuck = false;
    for (const root of this.#unread) {
      try {
        this.#options.learn(root);
      } catch (error) {
        this.#isStuck = true;
        this.#options.log.warn('a record cannot be read yet', { root, reason: messageOf(error) });
        return;
      }
      this.#unread.delete(root);
      if (performance.now() > until) return;
    }
  }
}
