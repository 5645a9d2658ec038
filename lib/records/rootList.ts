import { byOrder, inOrder } from './jobRoot.ts';

/** Job roots, in the order in which they were accepted. They are sorted when somebody asks, not with each one that comes. */
export class RootList {
  #roots: string[] = [];
  #isSorted = true;

  get size(): number {
    return this.#roots.length;
  }

  all(): readonly string[] {
    if (!this.#isSorted) {
      this.#roots = inOrder(this.#roots);
      this.#isSorted = true;
    }
    return this.#roots;
  }

  /** Adds one that is not in the list. */
  add(root: string): void {
    const last = this.#roots.at(-1);
    if (last !== undefined && byOrder(last, root) > 0) this.#isSorted = false;
    this.#roots.push(root);
  }

  remove(gone: ReadonlySet<string>): void {
    this.#roots = this.#roots.filter((root) => !gone.has(root));
  }
}
