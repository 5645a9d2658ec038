import { join } from 'node:path';
import type { Soon } from '../concurrency/soon.ts';
import type { Pace } from '../concurrency/turns.ts';
import type { Logger } from '../log.ts';
import type { JobForest } from '../tree/lookup.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonValue } from '../wire/json.ts';
import { TreeCache } from './cache.ts';
import { Catalog } from './index/catalog.ts';
import type { ListKind } from './index/jobIndex.ts';
import type { JobLook } from './index/jobLook.ts';
import type { JobSummary } from './index/jobSummary.ts';
import type { JobRows, RootList } from './index/listedJobs.ts';
import { OutlineStore } from './outlineStore.ts';
import { RecordReader } from './recordReader.ts';
import { RecordSearch } from './recordSearch.ts';
import { putAside } from './unreadable.ts';

export interface QuestionOptions {
  /** The folder that holds the records, one folder for each job; it alone is what the original's loader reads. */
  readonly folder: string;
  /** A folder of ours beside it: the index, drafts, and files that were no leaves. */
  readonly workFolder: string;
  /**
   * What is to be known of a job without its record. `outputBytes`: what its outputs take on the disk, where known.
   */
  readonly summaryOf: (record: TreeNode, outputBytes?: number) => JobSummary;
  /** How long records that the index does not know are read before the database counts as open; default 2000 ms. */
  readonly firstReadMs?: number;
  readonly log: Logger;
}

const FIRST_READ_MS = 2000;

/** What can be asked of the records of all jobs: by the index, from memory or from the disk. */
export abstract class RecordQuestions implements JobForest {
  protected readonly cache = new TreeCache((root) => this.isWritten(root));
  protected readonly reader: RecordReader;
  protected readonly catalog: Catalog;
  readonly #search: RecordSearch;

  constructor(options: QuestionOptions) {
    const { folder, workFolder, summaryOf, firstReadMs = FIRST_READ_MS, log } = options;
    const onUnreadable = putAside(options);
    const keptOutline = (root: string) => this.catalog.outline(root);
    this.reader = new RecordReader({
      ...{ folder, cache: this.cache, summaryOf, keptOutline, onUnreadable },
    });
    this.catalog = new Catalog({
      file: join(workFolder, 'index.jsonl'),
      outlines: new OutlineStore(join(workFolder, 'outlines'), log),
      read: (root) => this.reader.summary(root),
      ...{ firstReadMs, log },
    });
    this.#search = new RecordSearch(this.catalog, this.reader);
  }

  /** Whether all that has changed in a record is on the disk. */
  protected abstract isWritten(root: string): boolean;

  /**
   * How far the reading of records is that the index did not know; undefined when all are known. Until then jobs are
   * known by their names, and what finds them by anything else is refused.
   */
  get indexing(): Catalog['progress'] {
    return this.catalog.progress;
  }

  /** Resolves when all records are known, or the database is closed. */
  get indexed(): Promise<void> {
    return this.catalog.complete;
  }

  /** @throws PmanError unavailable while not all records are known */
  requireIndex(): void {
    this.catalog.requireAll();
  }

  /** How many jobs there are, and about what those that have ended take on the disk, as far as they are known. */
  get size(): { readonly jobs: number; readonly bytes: number } {
    return this.catalog.size;
  }

  /** All jobs, oldest first. */
  roots(): JobRows {
    return this.catalog.roots();
  }

  /** The jobs that have not ended, as far as their records are known. */
  unfinished(): readonly string[] {
    return this.catalog.unfinished();
  }

  has(root: string): boolean {
    return this.catalog.has(root);
  }

  /** What is known of a job without its record; its status only once it has ended. */
  summary(root: string): JobSummary | undefined {
    return this.catalog.get(root);
  }

  /** The same, looked up as it is asked for; only good until others get their turn. */
  look(root: string): JobLook | undefined {
    return this.catalog.look(root);
  }

  /** @throws PmanError unavailable when it cannot be read just now */
  tree(root: string): TreeNode | undefined {
    if (!this.catalog.has(root)) return undefined;
    return this.reader.tree(root);
  }

  /**
   * What of a record views of its job are made of, not to be changed: the whole, or less where it is not in memory.
   * @throws PmanError unavailable when it cannot be read just now
   */
  outline(root: string): TreeNode | undefined {
    if (!this.catalog.has(root)) return undefined;
    return this.reader.outline(root);
  }

  /**
   * The job that a name means: its root, or the beginning of the uuid in that, of 4 characters or more.
   * @throws PmanError conflict when it means several
   */
  named(name: string): string | undefined {
    return this.catalog.named(name);
  }

  /** Whether the uuid of a job begins so, with 4 characters or more. */
  hasBeginning(beginning: string): boolean {
    return this.catalog.beginningWith(beginning).length > 0;
  }

  /** The jobs whose uuid begins so, with 4 characters or more. */
  beginningWith(beginning: string): readonly string[] {
    return this.catalog.beginningWith(beginning);
  }

  /** A short name of a job for people, which means no other one now. */
  shortNameOf(root: string): string {
    return this.catalog.shortNameOf(root);
  }

  /**
   * The jobs of a state (`active`: those that have not ended), with a label `name=value`, that `ssh` or a `container` runs, of
   * an auid or of a jid, oldest first.
   * @throws PmanError unavailable while not all records are known
   */
  in(kind: ListKind, name: string): JobRows {
    return this.catalog.in(kind, name);
  }

  /**
   * The jobs whose root-level leaf `key` equals `value` as Python compares (protocol a.7), oldest first; by `jobRoot` and
   * `id` the one of that name.
   * @throws PmanError unavailable while not all records are known
   */
  find(key: string, value: JsonValue, pace?: Pace): Soon<RootList> {
    return this.#search.find(key, value, pace);
  }
}
