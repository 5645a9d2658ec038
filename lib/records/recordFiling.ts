import type { Catalog } from './index/catalog.ts';
import type { RecordObserver } from './recordObserver.ts';

/**
 * Knows which records of jobs that have ended are not on the disk yet, and what to call once they are: what keeps a job
 * until then goes next.
 */
export class RecordFiling {
  readonly #catalog: Catalog;
  readonly #observer: () => RecordObserver | undefined;
  readonly #whenFiled = new Map<string, () => void>();

  constructor(catalog: Catalog, observer: () => RecordObserver | undefined) {
    this.#catalog = catalog;
    this.#observer = observer;
  }

  /** The job has ended: its record is written for the last time. */
  expect(root: string, whenFiled: () => void): void {
    this.#whenFiled.set(root, whenFiled);
  }

  /** A record has been written: that of an ended job is filed. */
  written(root: string): void {
    if (!this.#whenFiled.has(root) || this.#catalog.look(root)?.status === undefined) return;
    this.#catalog.file(root);
    this.#observer()?.filed(root);
    this.call(root);
    this.forget(root);
  }

  /** Calls what is to be called for a record that is not filed yet. */
  call(root: string): void {
    this.#whenFiled.get(root)?.();
  }

  forget(root: string): void {
    this.#whenFiled.delete(root);
  }
}
