import { RowList, type RowOrder } from './orderedRows.ts';

/** Lists of rows by a word, of which there are few, such as the state of a job. */
export class RowGroups {
  readonly #order: RowOrder;
  readonly #lists = new Map<string, RowList>();

  constructor(order: RowOrder) {
    this.#order = order;
  }

  get(name: string): RowList | undefined {
    return this.#lists.get(name);
  }

  add(name: string, row: number): void {
    const list = this.#lists.get(name) ?? new RowList(this.#order);
    list.add(row);
    this.#lists.set(name, list);
  }

  remove(name: string, gone: ReadonlySet<number>): void {
    const list = this.#lists.get(name);
    list?.remove(gone);
    if (list?.length === 0) this.#lists.delete(name);
  }
}

/** Lists that were made for one question: for as long as somebody has one, rows that are gone leave it. */
export class LooseLists {
  readonly #lists = new Set<WeakRef<RowList>>();
  #sweepAt = 64;

  add(list: RowList): void {
    this.#lists.add(new WeakRef(list));
    if (this.#lists.size < this.#sweepAt) return;
    for (const one of this.#lists) if (one.deref() === undefined) this.#lists.delete(one);
    this.#sweepAt = 2 * this.#lists.size + 64;
  }

  remove(gone: ReadonlySet<number>): void {
    for (const one of this.#lists) {
      const list = one.deref();
      if (list === undefined) this.#lists.delete(one);
      else list.remove(gone);
    }
  }
}
