import type { JsonObject, JsonValue } from '../wire/json.ts';
import { checkName } from './paths.ts';

const NO_LEAVES: ReadonlyMap<string, JsonValue> = new Map();
const NO_CHILDREN: ReadonlyMap<string, TreeNode> = new Map();

/**
 * A node of the job tree: named JSON leaves and named child nodes, in order of creation.
 * Nodes and leaves of one node share their names: a name is one or the other.
 *
 * It has no current folder: every operation takes the path from this node as an array of names.
 */
export class TreeNode {
  /** Made with their first members: of the nodes of a job that waits, few have both. */
  #leaves: Map<string, JsonValue> | undefined;
  #children: Map<string, TreeNode> | undefined;
  #changes = 0;

  get leaves(): ReadonlyMap<string, JsonValue> {
    return this.#leaves ?? NO_LEAVES;
  }

  get children(): ReadonlyMap<string, TreeNode> {
    return this.#children ?? NO_CHILDREN;
  }

  /** How often it, or what is below it, was changed through it: what was worked out of it before is still right when this is the same. */
  get changes(): number {
    return this.#changes;
  }

  /** The node at a path, or undefined. */
  node(path: readonly string[]): TreeNode | undefined {
    let node: TreeNode | undefined = this;
    for (const name of path) node = node?.children.get(name);
    return node;
  }

  /**
   * The node at a path, made with its parents where it is missing. A leaf in its way is replaced.
   * @throws PmanError for a name that cannot stand on disk
   */
  mkdir(path: readonly string[]): TreeNode {
    this.#changes += 1;
    let node: TreeNode = this;
    for (const name of path) {
      let child = node.children.get(name);
      if (child === undefined) {
        checkName(name);
        child = new TreeNode();
        node.setChild(name, child);
      }
      node = child;
    }
    return node;
  }

  /**
   * Writes a leaf; its parents are made where they are missing.
   * @throws PmanError for a name that cannot stand on disk
   */
  touch(path: readonly string[], value: JsonValue): void {
    const name = path.at(-1);
    if (name === undefined) throw new RangeError('a leaf needs a name');
    const parent = this.mkdir(path.slice(0, -1));
    if (!parent.leaves.has(name)) checkName(name);
    parent.setLeaf(name, value);
  }

  /** The value of a leaf, or undefined. */
  cat(path: readonly string[]): JsonValue | undefined {
    const name = path.at(-1);
    return name === undefined ? undefined : this.node(path.slice(0, -1))?.leaves.get(name);
  }

  /** Removes the leaf or the node at a path; says whether there was one. */
  rm(path: readonly string[]): boolean {
    const name = path.at(-1);
    if (name === undefined) return false;
    this.#changes += 1;
    const parent = this.node(path.slice(0, -1));
    if (parent === undefined) return false;
    return (parent.#leaves?.delete(name) ?? false) || (parent.#children?.delete(name) ?? false);
  }

  /** Hangs another node in at a path, as it is: later changes to it show here too. */
  graft(path: readonly string[], node: TreeNode): void {
    const name = path.at(-1);
    if (name === undefined) throw new RangeError('a grafted node needs a name');
    checkName(name);
    this.mkdir(path.slice(0, -1)).setChild(name, node);
  }

  /** A node of its own with the same content. Leaf values are shared: they are never changed in place. */
  copy(): TreeNode {
    const twin = new TreeNode();
    for (const [name, value] of this.leaves) twin.setLeaf(name, value);
    for (const [name, child] of this.children) twin.setChild(name, child.copy());
    return twin;
  }

  /** Writes a leaf of this node whose name stands on the disk already. */
  setLeaf(name: string, value: JsonValue): void {
    this.#leaves ??= new Map();
    this.#leaves.set(name, value);
    this.#children?.delete(name);
  }

  /** Hangs in a node whose name stands on the disk already. */
  setChild(name: string, node: TreeNode): void {
    this.#children ??= new Map();
    this.#children.set(name, node);
    this.#leaves?.delete(name);
  }

  /** Every leaf below this node with its path, parents before children. */
  *walk(path: readonly string[] = []): Generator<{ path: readonly string[]; value: JsonValue }> {
    for (const [name, value] of this.leaves) yield { path: [...path, name], value };
    for (const [name, child] of this.children) yield* child.walk([...path, name]);
  }

  /** The JSON form that clients see: leaves first, then child nodes (protocol a.6). */
  toJson(): JsonObject {
    const entries: [string, JsonValue][] = [...this.leaves];
    for (const [name, child] of this.children) entries.push([name, child.toJson()]);
    // fromEntries defines own members, so that a leaf named __proto__ is a member like any other.
    return Object.fromEntries(entries);
  }
}

/**
 * A node from a JSON object: objects become nodes, everything else leaves; an empty object becomes a node
 * with the leaf `contents: null` (pman 2.2.4 does so with `meta.container`, protocol g).
 * @throws PmanError for a key that cannot stand on disk
 */
export function nodeFromJson(
  object: JsonObject,
  isObject: (value: JsonValue) => value is JsonObject,
): TreeNode {
  const node = new TreeNode();
  const entries = Object.entries(object);
  if (entries.length === 0) node.touch(['contents'], null);
  for (const [name, value] of entries) {
    if (isObject(value)) node.graft([name], nodeFromJson(value, isObject));
    else node.touch([name], value);
  }
  return node;
}
