/** How many files of a list are done, by the bytes that are. */
export class FilesDone {
  readonly #sizes: readonly number[];
  #count = 0;
  #bytes = 0;

  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
  }

  at(bytes: number): number {
    if (bytes < this.#bytes) {
      this.#count = 0;
      this.#bytes = 0;
    }
    for (;;) {
      const size = this.#sizes[this.#count];
      if (size === undefined || this.#bytes + size > bytes) return this.#count;
      this.#bytes += size;
      this.#count += 1;
    }
  }
}
