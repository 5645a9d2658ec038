import type { TreeNode } from '../tree/node.ts';
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

  /** A record has been written: that of an ended job is filed, or filed again. */
  written(root: string, record: TreeNode): void {
    const job = this.#catalog.look(root);
    if (job?.status === undefined) return;
    const isFirst = this.#whenFiled.has(root);
    if (isFirst || job.outline !== undefined) this.#catalog.file(root, record);
    if (!isFirst) return;
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
