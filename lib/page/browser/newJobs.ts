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

  /**
   * The server has told which are the first now: those before one that is known are new, and all where there are no others.
   * Not those before the first alone: a job may come into a list of one state behind jobs that were there before.
   */
  seen(ids: readonly string[], isAll: boolean): void {
    const isKnown = (id: string) => this.#top.has(id);
    const end = isAll || !ids.some(isKnown) ? ids.length : ids.findLastIndex(isKnown);
    for (const id of ids.slice(0, end)) if (!isKnown(id)) this.#ids.add(id);
  }
}

const TOP = 100;
