import { orderOf } from '../jobRoot.ts';
import type { RowList } from './orderedRows.ts';
import type { RootTable } from './rootTable.ts';

/** Which of the jobs of a list are gone through, and from which end. */
export interface RowSpan {
  readonly isUpward: boolean;
  /** Begins behind this one, which may be gone. */
  readonly after?: string | undefined;
  /**
   * When jobs were accepted, in microseconds: the earliest time, and one that is too late. Some may come that are of another
   * time, where the clock was set back; none is left out.
   */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** So many are passed over unseen at first; where several lists are gone through as one, in each of them. */
  readonly skip?: number | undefined;
  /** Only those are of use that this may be true of; others may come all the same. */
  readonly mayFit?: ((row: number) => boolean) | undefined;
}

/** So many rows are passed over at a time that are of no use: whoever goes through them looks at the clock in between. */
const MOST_PASSED = 1024;

/** The row that was met last, in whatever list, and its order: another job may be in that row by now. */
export interface Met {
  row: number;
  order: number;
}

/** Of somebody who has met none yet. */
export const metNone = (): Met => ({ row: -1, order: Number.NaN });

/** A place in a list of rows that finds itself again when the list changes: what stays is neither missed nor met twice. */
export class RowCursor {
  readonly #roots: RootTable;
  readonly #rows: RowList;
  readonly #span: RowSpan;
  readonly #step: number;
  #place = 0;
  #moves = -1;
  readonly #met: Met;

  /** @param met what those have met together who go through several lists as one */
  constructor(roots: RootTable, rows: RowList, span: RowSpan, met: Met) {
    this.#roots = roots;
    this.#rows = rows;
    this.#span = span;
    this.#met = met;
    this.#step = span.isUpward ? 1 : -1;
  }

  /** The row at the cursor; -1 behind the last one. */
  get row(): number {
    const { moves } = this.#rows;
    if (moves !== this.#moves) {
      this.#place = this.#met.row < 0 ? this.#first() : this.#besideMet();
      this.#moves = moves;
    }
    const row = this.#nextOfUse();
    if (row < 0) return -1;
    const { isUpward, from } = this.#span;
    const to = this.#to;
    const order = this.#roots.orderAt(row);
    const isWithin = isUpward
      ? to === undefined || order < to
      : from === undefined || order >= from;
    return isWithin ? row : -1;
  }

  /** Orders are never before their time, and may be behind it. */
  get #to(): number | undefined {
    const { to } = this.#span;
    return to === undefined ? to : to + this.#roots.ahead;
  }

  advance(): void {
    this.#met.row = this.#rows.at(this.#place);
    this.#met.order = this.#roots.orderAt(this.#met.row);
    this.#place += this.#step;
  }

  /** Passes over rows that are of no use. */
  #nextOfUse(): number {
    const [rows, { mayFit }] = [this.#rows, this.#span];
    let row = rows.at(this.#place);
    if (mayFit === undefined) return row;
    for (let n = 0; n < MOST_PASSED && row >= 0 && !mayFit(row); n += 1) {
      this.#place += this.#step;
      row = rows.at(this.#place);
    }
    return row;
  }

  #first(): number {
    const { isUpward, after, from, skip = 0 } = this.#span;
    const to = this.#to;
    const [roots, rows] = [this.#roots, this.#rows];
    const firstOf = (order: number) => rows.firstWhere((row) => roots.orderAt(row) >= order);
    let low = from === undefined ? 0 : firstOf(from);
    let high = to === undefined ? rows.length : firstOf(to);
    if (after !== undefined) {
      const order = orderOf(after);
      const isBehind = (row: number) =>
        roots.orderAt(row) > order || (roots.orderAt(row) === order && roots.rootAt(row) > after);
      const isBefore = (row: number) => !isBehind(row) && roots.rootAt(row) !== after;
      if (isUpward) low = Math.max(low, rows.firstWhere(isBehind));
      else
        high = Math.min(
          high,
          rows.firstWhere((row) => !isBefore(row)),
        );
    }
    return isUpward ? low + skip : high - 1 - skip;
  }

  /** Rows have moved: goes on beside the last one that was met. */
  #besideMet(): number {
    const [roots, rows, met] = [this.#roots, this.#rows, this.#met];
    const isThere = roots.orderAt(met.row) === met.order;
    const apart = (row: number) =>
      isThere ? roots.compare(row, met.row) : roots.orderAt(row) - met.order;
    if (this.#step > 0) return rows.firstWhere((row) => apart(row) > 0);
    return rows.firstWhere((row) => apart(row) >= 0) - 1;
  }
}
