import type { TreeNode } from '../tree/node.ts';

/** About how much memory the trees of jobs that do not change may take, in characters of their JSON text. */
const BUDGET = 8 * 1024 * 1024;

interface Kept {
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
  /** Those that have to stay. They are apart from the others: there may be thousands, and nobody looks through them. */
  readonly #staying = new Map<string, Kept>();
  /** The others, in order of last use; some of them may have to stay by now. */
  readonly #trees = new Map<string, Kept>();
  readonly #pinned = new Set<string>();
  /** The last one of those: asked for again it stays where it is. */
  #newest: string | undefined;
  readonly #mayGo: (root: string) => boolean;
  #weight = 0;

  /** @param mayGo whether a tree that is not pinned can be read again from the disk; once it can, its weight is told */
  constructor(mayGo: (root: string) => boolean) {
    this.#mayGo = mayGo;
  }

  /** A whole record. */
  get(root: string): TreeNode | undefined {
    return this.#kept(root)?.isOutline === false ? this.outline(root) : undefined;
  }

  /** A record, or what there is of it in memory: its outline at least. */
  outline(root: string): TreeNode | undefined {
    const staying = this.#staying.get(root);
    if (staying !== undefined) return staying.tree;
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
    this.#staying.set(root, { tree, weight, isOutline });
    this.#weight += weight;
    this.#look(root);
  }

  /** Keeps a tree until it is unpinned. */
  pin(root: string, tree: TreeNode): void {
    this.#pinned.add(root);
    if (this.#kept(root)?.tree !== tree) this.put(root, tree, 0);
  }

  unpin(root: string): void {
    this.#pinned.delete(root);
    this.#look(root);
  }

  /** Sets the weight of a tree that has changed. */
  weigh(root: string, weight: number): void {
    this.grow(root, weight - (this.#kept(root)?.weight ?? 0));
  }

  /** Adds to the weight of a tree. */
  grow(root: string, by: number): void {
    const entry = this.#kept(root);
    if (entry === undefined) return;
    this.#weight += by;
    entry.weight += by;
    this.#look(root);
  }

  remove(root: string): void {
    this.#drop(root);
    this.#pinned.delete(root);
  }

  #kept(root: string): Kept | undefined {
    return this.#staying.get(root) ?? this.#trees.get(root);
  }

  #drop(root: string): void {
    this.#weight -= this.#kept(root)?.weight ?? 0;
    this.#staying.delete(root);
    this.#trees.delete(root);
  }

  #stays(root: string): boolean {
    return this.#pinned.has(root) || !this.#mayGo(root);
  }

  /** A tree may be one of the others now, and these too many. */
  #look(root: string): void {
    const entry = this.#staying.get(root);
    if (entry !== undefined && !this.#stays(root)) {
      this.#staying.delete(root);
      this.#trees.set(root, entry);
      this.#newest = root;
    }
    if (this.#weight > BUDGET) this.#shrink();
  }

  #shrink(): void {
    for (const [root, entry] of this.#trees) {
      this.#trees.delete(root);
      if (this.#stays(root)) this.#staying.set(root, entry);
      else this.#weight -= entry.weight;
      if (this.#weight <= BUDGET) return;
    }
  }
}
