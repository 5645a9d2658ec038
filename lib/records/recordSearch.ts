import type { Soon } from '../concurrency/soon.ts';
import { freely, inTurns, type Pace } from '../concurrency/turns.ts';
import { type JsonValue, jsonEquals } from '../wire/json.ts';
import type { Catalog } from './index/catalog.ts';
import type { RootList } from './index/listedJobs.ts';
import type { RecordReader } from './recordReader.ts';

/** Keys of a search that are no leaf of a record: they name one job. */
export const NAME_KEYS: ReadonlySet<string> = new Set(['jobRoot', 'id']);

/** Finds jobs by a leaf: in the catalog where that knows the leaf, or else in each record. */
export class RecordSearch {
  readonly #catalog: Catalog;
  readonly #reader: RecordReader;

  constructor(catalog: Catalog, reader: RecordReader) {
    this.#catalog = catalog;
    this.#reader = reader;
  }

  /** See `JobDatabase.find`. */
  find(key: string, value: JsonValue, pace: Pace = freely): Soon<RootList> {
    if (NAME_KEYS.has(key)) {
      const root = typeof value === 'string' ? this.#catalog.named(value) : undefined;
      return root === undefined ? [] : [root];
    }
    const indexed = this.#catalog.find(key, value);
    return indexed === undefined ? inTurns(this.#lookIntoAll(key, value), pace) : indexed;
  }

  *#lookIntoAll(key: string, value: JsonValue): Generator<void, readonly string[], void> {
    const found: string[] = [];
    for (const root of this.#catalog.roots()) {
      const leaf = this.#reader.leaf(root, key);
      if (leaf !== undefined && jsonEquals(leaf, value)) found.push(root);
      yield;
    }
    return found;
  }
}
