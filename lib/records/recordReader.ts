import { statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, PmanError } from '../errors.ts';
import { isFolder } from '../host/folders.ts';
import { whereNow } from '../host/heldFolders.ts';
import { type OnUnreadable, type ReadTree, readLeaf, readTree } from '../tree/disk.ts';
import type { TreeNode } from '../tree/node.ts';
import { isSafeName } from '../tree/paths.ts';
import type { JsonValue } from '../wire/json.ts';
import type { TreeCache } from './cache.ts';
import type { ReadSummary } from './index/catalog.ts';
import type { JobSummary } from './index/jobSummary.ts';
import { readOutline } from './outline.ts';

export interface RecordReaderOptions {
  /** The folder of the records. */
  readonly folder: string;
  /** The records in memory: they are asked first, and what is read is put there. */
  readonly cache: TreeCache;
  readonly summaryOf: (record: TreeNode) => JobSummary;
  /** The outline of a job, where one is kept beside its record. */
  readonly keptOutline: (root: string) => ReadTree | undefined;
  readonly onUnreadable: OnUnreadable;
}

/** Gives records: from memory, or else from the disk. */
export class RecordReader {
  readonly #options: RecordReaderOptions;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
  }

  /**
   * A record, undefined when there is none. It stays in memory for others.
   * @throws PmanError unavailable when it cannot be read just now
   */
  tree(root: string): TreeNode | undefined {
    const { cache, onUnreadable } = this.#options;
    const cached = cache.get(root);
    if (cached !== undefined) return cached;
    const read = reading(root, () => readTree(this.#folderOf(root), onUnreadable));
    if (read === undefined) return undefined;
    cache.put(root, read.tree, read.weight);
    return read.tree;
  }

  /**
   * What views of a job are made of (`outline.ts`): less to read than the whole. It stays in memory for others, and is
   * not to be changed.
   * @throws PmanError unavailable when it cannot be read just now
   */
  outline(root: string): TreeNode | undefined {
    const { cache, onUnreadable, keptOutline } = this.#options;
    const cached = cache.outline(root);
    if (cached !== undefined) return cached;
    const read =
      keptOutline(root) ?? reading(root, () => readOutline(this.#folderOf(root), onUnreadable));
    if (read === undefined) return this.tree(root);
    cache.put(root, read.tree, read.weight, true);
    return read.tree;
  }

  /**
   * A leaf at the root of a record, without reading the rest of it.
   * @throws PmanError unavailable when it cannot be read just now
   */
  leaf(root: string, key: string): JsonValue | undefined {
    const { cache, onUnreadable } = this.#options;
    const cached = cache.outline(root);
    if (cached !== undefined) return cached.leaves.get(key);
    if (!isSafeName(key)) return undefined;
    const file = join(this.#folderOf(root), key);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
    return reading(root, () => readLeaf(file, onUnreadable)?.value);
  }

  /**
   * What is to be known of a job, from its record; undefined when there is none. Nothing stays in memory. A folder
   * that cannot be looked into may be a job: one of which nothing is known.
   * @throws the system's error when it lacks what reading takes
   */
  summary(root: string): ReadSummary | undefined {
    const { cache, onUnreadable, summaryOf } = this.#options;
    const folder = this.#folderOf(root);
    const record = cache.get(root) ?? readTree(folder, onUnreadable)?.tree;
    if (record !== undefined) return { summary: summaryOf(record), record };
    return isFolder(folder) ? { summary: {} } : undefined;
  }

  /** Also when somebody has moved all of them meanwhile: they can be read there until they are back. */
  #folderOf(root: string): string {
    return join(whereNow(this.#options.folder), root);
  }
}

/** @throws PmanError unavailable when the system lacks what reading takes */
function reading<T>(root: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = `the record of ${root} cannot be read just now: ${messageOf(error)}`;
    throw new PmanError('unavailable', message, { hint: 'try again', cause: error });
  }
}
