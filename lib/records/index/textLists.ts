import { nextCapacity, withRoom } from './columns.ts';
import { RowList, type RowOrder } from './orderedRows.ts';
import type { SoughtText } from './soughtText.ts';
import { Texts } from './texts.ts';

const NONE = -1;
const MANY = -2;

/** The rows of each value of a column of texts. Most values are those of one row, which takes 4 bytes then. */
export class TextLists {
  readonly #order: RowOrder;
  readonly #texts = new Texts();
  /** By row: the number of its text. */
  #ids = new Int32Array(0);
  /** By number of a text: the row that has it, when one has. */
  #only = new Int32Array(0);
  readonly #many = new Map<number, RowList>();

  constructor(order: RowOrder) {
    this.#order = order;
  }

  reserve(rows: number, texts: number): void {
    this.#ids = withRoom(this.#ids, rows);
    this.#growTo(texts);
    this.#texts.reserve(texts);
  }

  /** A new row: it has no text yet. */
  begin(row: number): void {
    if (row >= this.#ids.length) this.#ids = withRoom(this.#ids, nextCapacity(row + 1));
    this.#ids[row] = NONE;
  }

  /** The text of a row. */
  get(row: number): string | undefined {
    const id = this.#ids[row] ?? NONE;
    return id === NONE ? undefined : this.#texts.get(id);
  }

  /** Whether the text of a row has another one in it. */
  has(row: number, sought: SoughtText): boolean {
    const id = this.#ids[row] ?? NONE;
    return id === NONE ? sought.isIn('') : this.#texts.has(id, sought);
  }

  /** Gives a row a text, or none, and lists it under that. */
  set(row: number, text: string | undefined): void {
    if (this.get(row) === text) return;
    this.unlist(row);
    if (text !== undefined) this.#list(row, this.#texts.hold(text));
  }

  /** The same for a text that stands as UTF-8 in some bytes. */
  setBytes(row: number, bytes: Buffer, from: number, to: number): void {
    this.unlist(row);
    this.#list(row, this.#texts.holdBytes(bytes, from, to));
  }

  /** The row has no text any more, and is not listed. */
  unlist(row: number): void {
    const id = this.#ids[row] ?? NONE;
    if (id === NONE) return;
    if (this.#only[id] === row) this.#only[id] = NONE;
    else if (this.#only[id] === MANY) this.#removeFrom(id, new Set([row]));
    this.#drop(row);
  }

  /** The same for many rows: each list is gone through once, however many of its rows go. */
  unlistAll(rows: ReadonlySet<number>): void {
    const touched = new Set<number>();
    for (const row of rows) {
      const id = this.#ids[row] ?? NONE;
      if (id === NONE) continue;
      if (this.#only[id] === row) this.#only[id] = NONE;
      else touched.add(id);
    }
    for (const id of touched) this.#removeFrom(id, rows);
    for (const row of rows) this.#drop(row);
  }

  /** The rows that have a text, in order: a list that goes on as rows come and go, or the only row. */
  rowsOf(text: string): RowList | readonly number[] {
    const id = this.#texts.find(text);
    const only = id === NONE ? NONE : (this.#only[id] ?? NONE);
    if (only === NONE) return [];
    return only === MANY ? (this.#many.get(id) ?? []) : [only];
  }

  #drop(row: number): void {
    const id = this.#ids[row] ?? NONE;
    if (id !== NONE) this.#texts.release(id);
    this.#ids[row] = NONE;
  }

  #list(row: number, id: number): void {
    this.#ids[row] = id;
    if (id >= this.#only.length) this.#growTo(nextCapacity(id + 1));
    const only = this.#only[id] ?? NONE;
    if (only === NONE) {
      this.#only[id] = row;
      return;
    }
    if (only !== MANY) {
      const list = new RowList(this.#order);
      list.add(only);
      this.#many.set(id, list);
      this.#only[id] = MANY;
    }
    this.#many.get(id)?.add(row);
  }

  #removeFrom(id: number, gone: ReadonlySet<number>): void {
    const list = this.#many.get(id);
    if (list === undefined) return;
    list.remove(gone);
    // As long as there is one, the list goes on: somebody may be going through it.
    if (list.length > 0) return;
    this.#only[id] = NONE;
    this.#many.delete(id);
  }

  #growTo(texts: number): void {
    const before = this.#only.length;
    this.#only = withRoom(this.#only, texts);
    this.#only.fill(NONE, before);
  }
}
