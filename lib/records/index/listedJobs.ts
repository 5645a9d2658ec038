import { JobLook } from './jobLook.ts';
import type { JobTable } from './jobTable.ts';
import { RowList } from './orderedRows.ts';
import { type Met, metNone, RowCursor, type RowSpan } from './rowCursor.ts';
import type { SoughtText } from './soughtText.ts';

/** Job roots, oldest first. An array of them is one, too. */
export interface RootList extends Iterable<string> {
  readonly length: number;
  /** The one at a place; a negative one is counted from the end. */
  at(place: number): string | undefined;
  /** Those from a place to the one before another. */
  slice(from?: number, to?: number): string[];
}

/** Which jobs are gone through, and what is looked for in them: those that do not have it may be left out. */
export interface JobSpan extends Omit<RowSpan, 'mayFit'> {
  /** In their commands. */
  readonly text?: SoughtText | undefined;
  /** In their commands or their names, or at the beginning of their uuids. */
  readonly find?: SoughtText | undefined;
}

/**
 * Jobs, oldest first: a list of the index, of which no copy is made. It goes on as jobs come and go; whoever goes through it
 * in turns with others meets every job once that stays.
 */
export class JobRows implements RootList {
  readonly #table: JobTable;
  readonly #rows: RowList;

  constructor(table: JobTable, rows: RowList) {
    this.#table = table;
    this.#rows = rows;
  }

  /** A list of these alone: others do not come. */
  static of(table: JobTable, rows: Iterable<number>): JobRows {
    const list = new RowList(table.roots);
    for (const row of rows) list.add(row);
    table.loose.add(list);
    return new JobRows(table, list);
  }

  get length(): number {
    return this.#rows.length;
  }

  at(place: number): string | undefined {
    const row = this.#rows.at(place < 0 ? this.length + place : place);
    return row < 0 ? undefined : this.#table.roots.rootAt(row);
  }

  slice(from = 0, to = this.length): string[] {
    const roots: string[] = [];
    for (let place = from; place < Math.min(to, this.length); place += 1) {
      roots.push(this.#table.roots.rootAt(this.#rows.at(place)));
    }
    return roots;
  }

  /** Those that are now from a place to the one before another. */
  part(from: number, to: number): JobRows {
    const rows = this.#rows.part(from, to);
    this.#table.loose.add(rows);
    return new JobRows(this.#table, rows);
  }

  *[Symbol.iterator](): Generator<string, void, undefined> {
    for (const look of this.looks()) yield look.root;
  }

  /** What is known of each, one after the other. */
  looks(span: JobSpan = { isUpward: true }): Generator<JobLook, void, undefined> {
    return looksInTurn([this], span);
  }

  /** Those that something is true of now. */
  filter(isTrue: (look: JobLook) => boolean): JobRows {
    const rows: number[] = [];
    for (let place = 0; place < this.length; place += 1) {
      const row = this.#rows.at(place);
      if (isTrue(new JobLook(this.#table, row))) rows.push(row);
    }
    return JobRows.of(this.#table, rows);
  }

  /** @internal for `looksInTurn` */
  begin(span: JobSpan, met: Met): { readonly table: JobTable; readonly cursor: RowCursor } {
    const [table, { text, find }] = [this.#table, span];
    const isSought = text !== undefined || find !== undefined;
    const mayFit = isSought ? (row: number) => table.mayHave(row, text, find) : undefined;
    const cursor = new RowCursor(table.roots, this.#rows, { ...span, mayFit }, met);
    return { table, cursor };
  }
}

/** What is known of the jobs of several lists of one database, in the order in which one list would have them. */
export function* looksInTurn(
  lists: readonly JobRows[],
  span: JobSpan,
): Generator<JobLook, void, undefined> {
  const met = metNone();
  const all = lists.map((list) => list.begin(span, met));
  const step = span.isUpward ? 1 : -1;
  for (;;) {
    let next: (typeof all)[number] | undefined;
    let best = -1;
    for (const one of all) {
      const { row } = one.cursor;
      if (row < 0) continue;
      if (next !== undefined && one.table.roots.compare(row, best) * step >= 0) continue;
      next = one;
      best = row;
    }
    if (next === undefined) return;
    next.cursor.advance();
    yield new JobLook(next.table, best);
  }
}
