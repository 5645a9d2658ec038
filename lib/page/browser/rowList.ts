import type { Job } from '../../client/index.ts';
import type { FIELDS } from './firstList.ts';

export type Row = Pick<Job, (typeof FIELDS)[number]> & {
  /** It was removed while somebody needed its row where it is. */
  readonly isGone?: true;
};

/** What has to be known of a job to do something with it. */
export type Named = Pick<Job, 'id' | 'jid' | 'state'>;

/** So many rows are kept at most, however long the list is and however far one goes. */
const MOST_ROWS = 1000;

interface Surroundings {
  /** How many rows of the whole list are before these, as far as that is known. */
  readonly start?: number;
  /** Whether there are rows behind them. */
  readonly hasMore: boolean;
}

/** Rows beside each other in a list that may have many more of them, in their order; they are found by their ids. */
export class RowList {
  readonly #byId = new Map<string, number>();
  #rows: Row[] = [];
  #start = 0;
  #hasMore = false;
  #version = 0;

  /** They change in their places; when others come or go it is another array. */
  get all(): readonly Row[] {
    return this.#rows;
  }

  /** How many rows of the whole list are before these, as far as that is known: none when this is 0. */
  get start(): number {
    return this.#start;
  }

  /** Whether there are rows behind these. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Another number whenever a row is another one, or others are there. */
  get version(): number {
    return this.#version;
  }

  get(id: string): Row | undefined {
    const at = this.placeOf(id);
    return at === undefined ? undefined : this.#rows[at];
  }

  /** Among these rows, from 0. */
  placeOf(id: string): number | undefined {
    return this.#byId.get(id);
  }

  /** Has these and no others, but for those that are too many; of two with one id it has the first. */
  set(rows: readonly Row[], { start = 0, hasMore }: Surroundings): void {
    this.#rows = [];
    this.#byId.clear();
    for (const row of rows.slice(0, MOST_ROWS)) {
      if (this.#byId.has(row.id)) continue;
      this.#byId.set(row.id, this.#rows.length);
      this.#rows.push(row);
    }
    this.#start = start;
    this.#hasMore = hasMore || rows.length > MOST_ROWS;
    this.#version += 1;
  }

  /** Adds rows behind these, and lets the first go where there are too many then. */
  add(rows: readonly Row[], hasMore: boolean): void {
    const all = [...this.#rows, ...this.#unknown(rows)];
    const over = Math.max(0, all.length - MOST_ROWS);
    this.set(all.slice(over), { start: this.#start + over, hasMore });
  }

  /**
   * Adds rows before these, and lets the last go where there are too many then.
   * @param isTop whether they are the first of all
   */
  addBefore(rows: readonly Row[], isTop: boolean): void {
    const others = this.#unknown(rows);
    // Where the first one is was not known for sure until somebody has come there.
    const start = isTop ? 0 : Math.max(1, this.#start - others.length);
    this.set([...others, ...this.#rows], { start, hasMore: this.#hasMore });
  }

  /** More rows have come at the end of the whole list. */
  growsAtEnd(): void {
    this.#hasMore = true;
  }

  remove(id: string): void {
    const rest = this.#rows.filter((row) => row.id !== id);
    this.set(rest, { start: this.#start, hasMore: this.#hasMore });
  }

  change(id: string, members: Partial<Row>): void {
    const at = this.placeOf(id);
    const row = at === undefined ? undefined : this.#rows[at];
    // The others stay: a copy of all for each event would cost much.
    if (at === undefined || row === undefined) return;
    this.#rows[at] = { ...row, ...members };
    this.#version += 1;
  }

  #unknown(rows: readonly Row[]): readonly Row[] {
    return rows.filter(({ id }) => !this.#byId.has(id));
  }
}
