import { withRoom } from './columns.ts';
import type { OutlinePlace } from './jobSummary.ts';

/** Where the outlines of jobs are kept, a row each. */
export class OutlineColumns {
  #places = new Float64Array(0);
  /** In bytes; 0 where there is none. */
  #sizes = new Uint32Array(0);

  /** Takes down a place; not numbers for none. */
  write(row: number, at: number, size: number): void {
    this.#places[row] = at;
    this.#sizes[row] = size;
  }

  put(row: number, place: OutlinePlace | undefined): void {
    this.write(row, place?.[0] ?? Number.NaN, place?.[1] ?? 0);
  }

  at(row: number): OutlinePlace | undefined {
    const size = this.#sizes[row] ?? 0;
    return size === 0 ? undefined : [this.#places[row] ?? 0, size];
  }

  growTo(count: number): void {
    this.#places = withRoom(this.#places, count);
    this.#sizes = withRoom(this.#sizes, count);
  }
}
