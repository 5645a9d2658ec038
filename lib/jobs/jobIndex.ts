import type { JsonValue } from '../wire/json.ts';
import type { JobStatus } from './progress.ts';

/** What is known of each job without its record. */
export interface JobSummary {
  readonly jid?: JsonValue;
  readonly auid?: JsonValue;
  /** How it ended; absent while it has not. */
  readonly status?: JobStatus;
  /** About what its record and its outputs take on the disk; only once it has ended. */
  readonly bytes?: number;
  /** The idempotency key it was sent with. */
  readonly key?: string;
  /** A digest of all that it was sent with; only with a key. */
  readonly digest?: string;
}

const KEYS = ['jid', 'auid'] as const;
const FOUND_BY = [...KEYS, 'key'] as const;

/** Finds jobs by what clients ask for: all of them in order, and by `jid` and `auid`. */
export class JobIndex {
  readonly #summaries = new Map<string, JobSummary>();
  readonly #byValue: Readonly<Record<(typeof KEYS)[number], Map<string, string[]>>> = {
    jid: new Map(),
    auid: new Map(),
  };
  readonly #byKey = new Map<string, string>();
  #order: string[] = [];
  #sorted = true;

  has(root: string): boolean {
    return this.#summaries.has(root);
  }

  get(root: string): JobSummary | undefined {
    return this.#summaries.get(root);
  }

  /** All job roots, oldest first: their names start with the time. */
  roots(): readonly string[] {
    if (!this.#sorted) {
      this.#order.sort();
      this.#sorted = true;
    }
    return this.#order;
  }

  /** Takes in a job, or new knowledge of one that is known: as a rule how it has ended. */
  put(root: string, summary: JobSummary): void {
    const known = this.#summaries.get(root);
    if (known !== undefined && FOUND_BY.every((key) => known[key] === summary[key])) {
      this.#summaries.set(root, summary);
      return;
    }
    if (known !== undefined) this.remove(new Set([root]));
    this.#summaries.set(root, summary);
    if (summary.key !== undefined) this.#byKey.set(summary.key, root);
    for (const key of KEYS) {
      const value = summary[key];
      if (typeof value === 'string') insert(this.#byValue[key], value, root);
    }
    const last = this.#order.at(-1);
    this.#order.push(root);
    if (last !== undefined && last > root) this.#sorted = false;
  }

  remove(gone: ReadonlySet<string>): void {
    if (gone.size === 0) return;
    // Each list is gone through once, however many of its jobs go: one user may have them all.
    for (const key of KEYS) {
      const roots = this.#byValue[key];
      const touched = new Set<JsonValue | undefined>();
      for (const root of gone) touched.add(this.#summaries.get(root)?.[key]);
      for (const value of touched) {
        if (typeof value !== 'string') continue;
        const left = roots.get(value)?.filter((other) => !gone.has(other)) ?? [];
        if (left.length > 0) roots.set(value, left);
        else roots.delete(value);
      }
    }
    for (const root of gone) {
      const key = this.#summaries.get(root)?.key;
      if (key !== undefined && this.#byKey.get(key) === root) this.#byKey.delete(key);
      this.#summaries.delete(root);
    }
    this.#order = this.#order.filter((root) => !gone.has(root));
  }

  /** The jobs that have ended, oldest first. */
  ended(): readonly (readonly [string, JobSummary])[] {
    return this.roots().flatMap((root) => {
      const summary = this.#summaries.get(root);
      return summary?.status === undefined ? [] : [[root, summary] as const];
    });
  }

  /** The job that was sent with an idempotency key. */
  withKey(key: string): string | undefined {
    return this.#byKey.get(key);
  }

  /** The jobs with this leaf, oldest first; undefined when that leaf is not indexed. */
  find(key: string, value: JsonValue): readonly string[] | undefined {
    if (key !== 'jid' && key !== 'auid') return undefined;
    return typeof value === 'string' ? (this.#byValue[key].get(value) ?? []) : [];
  }
}

function insert(roots: Map<string, string[]>, value: string, root: string): void {
  const known = roots.get(value);
  if (known === undefined) {
    roots.set(value, [root]);
    return;
  }
  const last = known.at(-1);
  known.push(root);
  if (last !== undefined && last > root) known.sort();
}
