import { freely, type Pace } from '../concurrency/turns.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { TreeCache } from './cache.ts';
import type { Catalog } from './index/catalog.ts';
import type { RecordFiling } from './recordFiling.ts';
import type { RecordObserver } from './recordObserver.ts';
import type { RecordWriter } from './recordWriter.ts';

export interface RemoveOptions {
  /** Called for each that is gone. */
  readonly whenGone?: (root: string) => void;
  readonly pace?: Pace;
}

interface RemoverParts {
  readonly catalog: Catalog;
  readonly cache: TreeCache;
  readonly writer: RecordWriter;
  readonly filing: RecordFiling;
  readonly observer: () => RecordObserver | undefined;
  readonly isClosed: () => boolean;
}

/** Removes records, and what is known of them. */
export class RecordRemover {
  readonly #parts: RemoverParts;

  constructor(parts: RemoverParts) {
    this.#parts = parts;
  }

  /** See `JobDatabase.remove`. */
  async remove(
    roots: readonly string[],
    { whenGone, pace = freely }: RemoveOptions = {},
  ): Promise<void> {
    const { catalog, writer, filing } = this.#parts;
    let removed = 0;
    let gone = new Set<string>();
    const forget = () => {
      this.forget(gone);
      removed += gone.size;
      gone = new Set();
    };
    try {
      for (const root of roots) {
        if (pace.isOthersTurn) {
          forget();
          await pace.turn();
          if (this.#parts.isClosed()) break;
        }
        const summary = catalog.get(root);
        if (summary === undefined) continue;
        this.#parts.observer()?.removing(root);
        // First: a journal without its record would bring that back.
        filing.call(root);
        writer.discard(root);
        gone.add(root);
        whenGone?.(root);
        this.#parts.observer()?.removed(root, summary);
      }
    } catch (error) {
      writer.refused(error);
      const message = `${removed + gone.size} of ${roots.length} records were removed: ${messageOf(error)}`;
      throw new PmanError('storage', message, { cause: error });
    } finally {
      forget();
    }
  }

  /** Nothing is known of these any more: their records are gone from the folder. */
  forget(gone: ReadonlySet<string>): void {
    const { catalog, cache, filing } = this.#parts;
    catalog.remove(gone);
    for (const root of gone) {
      cache.remove(root);
      filing.forget(root);
    }
  }
}
