/** The jobs that have come before the first one of a list, and are not in it yet. */
export class NewJobs {
  readonly #ids = new Set<string>();
  /** The first jobs of the list, when somebody has seen them last. */
  #top: ReadonlySet<string> = new Set();

  get size(): number {
    return this.#ids.size;
  }

  /** These are the first of the list now. */
  topIs(ids: readonly string[]): void {
    this.#top = new Set(ids.slice(0, TOP));
    this.#ids.clear();
  }

  add(id: string): void {
    this.#ids.add(id);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }

  /** The server has told which are the first now: those before the first that is known are new. */
  seen(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#top.has(id)) return;
      this.#ids.add(id);
    }
  }
}

const TOP = 100;
