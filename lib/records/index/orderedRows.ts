import { nextCapacity, withRoom } from './columns.ts';

/** How many places before the end are looked at for the one of a new row. */
const NEAR = 64;
/** So few are taken out one after the other. */
const FEW = 8;

/** What says which of two rows comes first: the one of the job that was accepted first. */
export interface RowOrder {
  /** Less than 0 when `a` comes first. */
  compare(a: number, b: number): number;
}

/** Rows of an index, in the order of their jobs. They are sorted when somebody asks, not with each one that comes. */
export class RowList {
  readonly #order: RowOrder;
  #rows: Int32Array = new Int32Array(2);
  #length = 0;
  #isSorted = true;
  #moves = 0;

  constructor(order: RowOrder) {
    this.#order = order;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Changes whenever rows have come, gone, or changed their places. Who has been at the end goes on where the order says:
   * a row that comes there may stand before what was met in another list meanwhile.
   */
  get moves(): number {
    this.#sort();
    return this.#moves;
  }

  /** The row at a place; -1 where there is none. */
  at(place: number): number {
    if (!this.#isSorted) this.#sort();
    return place >= 0 && place < this.#length ? (this.#rows[place] ?? -1) : -1;
  }

  /** The rows from a place to the one before another, as a list of their own. */
  part(from: number, to: number): RowList {
    this.#sort();
    const list = new RowList(this.#order);
    list.#rows = this.#rows.slice(Math.min(from, this.#length), Math.min(to, this.#length));
    list.#length = list.#rows.length;
    return list;
  }

  reserve(length: number): void {
    this.#rows = withRoom(this.#rows, length);
  }

  /** Adds a row that is not in the list. */
  add(row: number): void {
    if (this.#length === this.#rows.length) {
      this.#rows = withRoom(this.#rows, nextCapacity(this.#length));
    }
    // As a rule it belongs at the end, or near it.
    let at = this.#length;
    for (let steps = 0; steps < NEAR && this.#isBehind(at - 1, row); steps += 1) at -= 1;
    if (this.#isBehind(at - 1, row)) {
      this.#isSorted = false;
      at = this.#length;
    } else if (at < this.#length) this.#rows.copyWithin(at + 1, at, this.#length);
    this.#moves += 1;
    this.#rows[at] = row;
    this.#length += 1;
  }

  /** Takes out the rows of jobs, which are still known; those that are not in the list are passed over. */
  remove(gone: ReadonlySet<number>): void {
    this.#sort();
    if (gone.size <= FEW) for (const row of gone) this.#removeOne(row);
    else this.#removeMany(gone);
    this.#moves += 1;
  }

  #removeOne(row: number): void {
    const at = this.firstWhere((other) => this.#order.compare(other, row) >= 0);
    if (at === this.#length || this.#rows[at] !== row) return;
    this.#rows.copyWithin(at, at + 1, this.#length);
    this.#length -= 1;
  }

  #removeMany(gone: ReadonlySet<number>): void {
    const [first = -1, ...others] = gone;
    let [lowest, highest] = [first, first];
    for (const row of others) {
      if (this.#order.compare(row, lowest) < 0) lowest = row;
      if (this.#order.compare(row, highest) > 0) highest = row;
    }
    // As a rule they are beside each other: the oldest ones.
    let kept = this.firstWhere((row) => this.#order.compare(row, lowest) >= 0);
    const end = this.firstWhere((row) => this.#order.compare(row, highest) > 0);
    for (let place = kept; place < end; place += 1) {
      const row = this.#rows[place] ?? -1;
      if (gone.has(row)) continue;
      this.#rows[kept] = row;
      kept += 1;
    }
    this.#rows.copyWithin(kept, end, this.#length);
    kept += this.#length - end;
    this.#length = kept;
    if (this.#rows.length > 4 * kept + 16) this.#rows = this.#rows.slice(0, kept + (kept >> 1));
  }

  /** The first place at which something is true that is true of every later one; the length when there is none. */
  firstWhere(isTrue: (row: number) => boolean): number {
    this.#sort();
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isTrue(this.#rows[middle] ?? -1)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #isBehind(at: number, row: number): boolean {
    return at >= 0 && this.#order.compare(this.#rows[at] ?? -1, row) > 0;
  }

  #sort(): void {
    if (this.#isSorted) return;
    this.#isSorted = true;
    this.#moves += 1;
    const rows = this.#rows.subarray(0, this.#length);
    // Of an array: as a rule most of them are in order, which the sort of typed arrays makes no use of.
    rows.set(Array.from(rows).sort((a, b) => this.#order.compare(a, b)));
  }
}
