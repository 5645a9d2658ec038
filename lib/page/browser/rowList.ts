import type { Job } from '../../client/index.ts';

/** What the list shows of a job. */
export const FIELDS = [
  ...(['id', 'jid', 'auid', 'command', 'state', 'exitCode', 'place'] as const),
  ...(['labels', 'backend', 'acceptedAt', 'startedAt', 'endedAt'] as const),
] as const;

export type Row = Pick<Job, (typeof FIELDS)[number]> & {
  /** It was removed while somebody needed its row where it is. */
  readonly isGone?: true;
};

/** What has to be known of a job to do something with it. */
export type Named = Pick<Job, 'id' | 'jid' | 'state'>;

/** Rows in their order, which are found by their ids. */
export class RowList {
  readonly #byId = new Map<string, number>();
  #rows: Row[] = [];
  #version = 0;

  /** They change in their places; when others come or go it is another array. */
  get all(): readonly Row[] {
    return this.#rows;
  }

  /** Another number whenever a row is another one, or others are there. */
  get version(): number {
    return this.#version;
  }

  get(id: string): Row | undefined {
    const at = this.placeOf(id);
    return at === undefined ? undefined : this.#rows[at];
  }

  placeOf(id: string): number | undefined {
    return this.#byId.get(id);
  }

  set(rows: readonly Row[]): void {
    this.#rows = [];
    this.#byId.clear();
    this.add(rows);
  }

  /** Adds rows at the end, but for those that are there. */
  add(rows: readonly Row[]): void {
    const all = [...this.#rows];
    for (const row of rows) {
      if (this.#byId.has(row.id)) continue;
      this.#byId.set(row.id, all.length);
      all.push(row);
    }
    this.#rows = all;
    this.#version += 1;
  }

  remove(id: string): void {
    this.set(this.#rows.filter((row) => row.id !== id));
  }

  change(id: string, members: Partial<Row>): void {
    const at = this.placeOf(id);
    const row = at === undefined ? undefined : this.#rows[at];
    // A copy for each event would be a copy of a list of 100,000: the row alone is another one.
    if (at === undefined || row === undefined) return;
    this.#rows[at] = { ...row, ...members };
    this.#version += 1;
  }
}
