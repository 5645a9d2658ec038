import type { TreeNode } from '../tree/node.ts';

/** About how much memory the trees of jobs that do not change may take, in characters of their JSON text. */
const BUDGET = 8 * 1024 * 1024;

interface Entry {
  readonly tree: TreeNode;
  weight: number;
  /** Whether it is only the outline of the record. */
  readonly isOutline: boolean;
}

/**
 * Records in memory: those of jobs that still change, for as long as they do, and the most recently used of the
 * others within a budget. Of a record there is the whole or its outline (`outline.ts`), never both.
 */
export class TreeCache {
  /** In order of last use. */
  readonly #trees = new Map<string, Entry>();
  readonly #pinned = new Set<string>();
  /** The last one of those: asked for again it stays where it is. */
  #newest: string | undefined;
  readonly #mayGo: (root: string) => boolean;
  #weight = 0;

  /** @param mayGo whether a tree that is not pinned can be read again from the disk */
  constructor(mayGo: (root: string) => boolean) {
    this.#mayGo = mayGo;
  }

  /** A whole record. */
  get(root: string): TreeNode | undefined {
    return this.#trees.get(root)?.isOutline === false ? this.outline(root) : undefined;
  }

  /** A record, or what there is of it in memory: its outline at least. */
  outline(root: string): TreeNode | undefined {
    const entry = this.#trees.get(root);
    if (entry === undefined) return undefined;
    if (root !== this.#newest) {
      this.#trees.delete(root);
      this.#trees.set(root, entry);
      this.#newest = root;
    }
    return entry.tree;
  }

  isPinned(root: string): boolean {
    return this.#pinned.has(root);
  }

  put(root: string, tree: TreeNode, weight: number, isOutline = false): void {
    this.#drop(root);
    this.#trees.set(root, { tree, weight, isOutline });
    this.#newest = root;
    this.#weight += weight;
    this.#shrink();
  }

  /** Keeps a tree until it is unpinned. */
  pin(root: string, tree: TreeNode): void {
    this.#pinned.add(root);
    if (this.#trees.get(root)?.tree !== tree) this.put(root, tree, 0);
  }

  unpin(root: string): void {
    this.#pinned.delete(root);
    this.#shrink();
  }

  /** Sets the weight of a tree that has changed. */
  weigh(root: string, weight: number): void {
    this.grow(root, weight - (this.#trees.get(root)?.weight ?? 0));
  }

  /** Adds to the weight of a tree. */
  grow(root: string, by: number): void {
    const entry = this.#trees.get(root);
    if (entry === undefined) return;
    this.#weight += by;
    entry.weight += by;
    this.#shrink();
  }

  remove(root: string): void {
    this.#drop(root);
    this.#pinned.delete(root);
  }

  #drop(root: string): void {
    this.#weight -= this.#trees.get(root)?.weight ?? 0;
    this.#trees.delete(root);
  }

  #shrink(): void {
    if (this.#weight <= BUDGET) return;
    for (const [root, { weight }] of this.#trees) {
      if (this.#pinned.has(root) || !this.#mayGo(root)) continue;
      this.#trees.delete(root);
      this.#weight -= weight;
      if (this.#weight <= BUDGET) return;
    }
  }
}
