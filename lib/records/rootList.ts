import { byOrder, inOrder } from './jobRoot.ts';

/** How many places before the end are looked at for the one of a new root. */
const NEAR = 64;

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
    // As a rule it belongs at the end, or near it.
    let at = this.#roots.length;
    for (let steps = 0; steps < NEAR && this.#isBehind(at - 1, root); steps += 1) at -= 1;
    if (this.#isBehind(at - 1, root)) {
      this.#isSorted = false;
      this.#roots.push(root);
    } else this.#roots.splice(at, 0, root);
  }

  #isBehind(at: number, root: string): boolean {
    const other = this.#roots[at];
    return other !== undefined && byOrder(other, root) > 0;
  }

  remove(gone: ReadonlySet<string>): void {
    this.#roots = this.#roots.filter((root) => !gone.has(root));
  }
}
