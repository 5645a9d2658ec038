import type { JsonValue } from '../wire/json.ts';

const KEYS = ['jid', 'auid'] as const;

/** Finds jobs by what clients ask for: all of them in order, and by `jid` and `auid`. */
export class JobIndex {
  /** The leaves that are indexed. */
  static readonly keys: readonly string[] = KEYS;

  readonly #values = new Map<string, ReadonlyMap<string, JsonValue>>();
  readonly #byValue: ReadonlyMap<string, Map<string, string[]>> = new Map(
    KEYS.map((key) => [key, new Map<string, string[]>()]),
  );
  #order: string[] = [];
  #sorted = true;

  has(root: string): boolean {
    return this.#values.has(root);
  }

  /** All job roots, oldest first: their names start with the time. */
  roots(): readonly string[] {
    if (!this.#sorted) {
      this.#order.sort();
      this.#sorted = true;
    }
    return this.#order;
  }

  /** Takes in a job with its root-level leaves; a job that is known already is taken in anew. */
  add(root: string, leaves: ReadonlyMap<string, JsonValue>): void {
    if (this.#values.has(root)) this.remove(new Set([root]));
    const values = new Map<string, JsonValue>();
    for (const [key, roots] of this.#byValue) {
      const value = leaves.get(key);
      if (value === undefined) continue;
      values.set(key, value);
      if (typeof value === 'string') insert(roots, value, root);
    }
    this.#values.set(root, values);
    const last = this.#order.at(-1);
    this.#order.push(root);
    if (last !== undefined && last > root) this.#sorted = false;
  }

  remove(gone: ReadonlySet<string>): void {
    // Each list is gone through once, however many of its jobs go: one user may have them all.
    for (const [key, roots] of this.#byValue) {
      const touched = new Set<JsonValue | undefined>();
      for (const root of gone) touched.add(this.#values.get(root)?.get(key));
      for (const value of touched) {
        if (typeof value !== 'string') continue;
        const left = roots.get(value)?.filter((other) => !gone.has(other)) ?? [];
        if (left.length > 0) roots.set(value, left);
        else roots.delete(value);
      }
    }
    for (const root of gone) this.#values.delete(root);
    this.#order = this.#order.filter((root) => !gone.has(root));
  }

  /** The jobs with this leaf, oldest first; undefined when that leaf is not indexed. */
  find(key: string, value: JsonValue): readonly string[] | undefined {
    const roots = this.#byValue.get(key);
    if (roots === undefined) return undefined;
    return typeof value === 'string' ? (roots.get(value) ?? []) : [];
  }
}

function insert(roots: Map<string, string[]>, value: string, root: string): void {
  const known = roots.get(value);
  if (known === undefined) roots.set(value, [root]);
  else {
    const last = known.at(-1);
    known.push(root);
    if (last !== undefined && last > root) known.sort();
  }
}
