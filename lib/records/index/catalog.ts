import type { Logger } from '../../log.ts';
import type { ReadTree } from '../../tree/disk.ts';
import type { TreeNode } from '../../tree/node.ts';
import type { JsonValue } from '../../wire/json.ts';
import { inOrder, isJobRoot } from '../jobRoot.ts';
import type { OutlineStore } from '../outlineStore.ts';
import { sameJob } from './idempotency.ts';
import { IndexFile } from './indexFile.ts';
import { Indexing } from './indexing.ts';
import { ACTIVE, JobIndex, type ListKind } from './jobIndex.ts';
import type { JobLook } from './jobLook.ts';
import { isSameEnd, type JobSummary } from './jobSummary.ts';
import type { JobRows, RootList } from './listedJobs.ts';

export interface CatalogOptions {
  /** The index file. */
  readonly file: string;
  /** Where outlines are kept. */
  readonly outlines: OutlineStore;
  /** Reads the record of a job for what is to be known of it; undefined when there is no such record. */
  readonly read: (root: string) => ReadSummary | undefined;
  /** How long records that the index file does not know are read before anybody is served, in milliseconds. */
  readonly firstReadMs: number;
  readonly log: Logger;
}

/** What is known of a job from its record; where that cannot be read, there is none. */
export interface ReadSummary {
  readonly summary: JobSummary;
  readonly record?: TreeNode;
}

/**
 * What is known of each job without its record: at once from the index file, or in time from the record. Until all
 * records have been read, jobs are known by their names, and what finds them by anything else is refused.
 */
export class Catalog {
  readonly #options: CatalogOptions;
  readonly #index = new JobIndex();
  readonly #file: IndexFile;
  readonly #indexing: Indexing;

  constructor(options: CatalogOptions) {
    this.#options = options;
    const { file, firstReadMs: firstMs, log } = options;
    this.#file = new IndexFile(file, log);
    this.#indexing = new Indexing({ learn: (root) => this.readRecord(root), firstMs, log });
  }

  /** Takes in the jobs that have a record. @param names what is in their folder */
  open(names: Iterable<string>): void {
    const lines = this.#file.read(this.#index);
    const there = new Uint8Array(this.#index.rows);
    const unread: string[] = [];
    let count = 0;
    for (const root of names) {
      const row = this.#index.rowOf(root);
      if (row >= 0) there[row] = 1;
      else if (isJobRoot(root)) unread.push(root);
      else continue;
      count += 1;
    }
    this.#options.outlines.open(this.#index.outlines());
    // Records that are gone, also those that were removed when somebody killed the server.
    this.#index.keep(
      (row) => there[row] === 1,
      (root) => this.#eraseOutline(root),
    );
    const inTheirOrder = inOrder(unread);
    for (const root of inTheirOrder) this.#index.put(root, {});
    if (lines > 2 * count + 100) this.#file.rewrite(this.#index.ended());
    this.#indexing.begin(inTheirOrder);
  }

  /** How far the reading of records is; undefined when all are known. */
  get progress(): Indexing['progress'] {
    return this.#indexing.progress;
  }

  /** Resolves when all records are known, or the catalog is closed. */
  get complete(): Promise<void> {
    return this.#indexing.finished;
  }

  /** @throws PmanError unavailable while not all records are known */
  requireAll(): void {
    this.#indexing.require();
  }

  has(root: string): boolean {
    return this.#index.has(root);
  }

  /** All jobs, oldest first. */
  roots(): JobRows {
    return this.#index.roots();
  }

  /** How many jobs there are, and what those take on the disk that have ended, as far as they are known. */
  get size(): { readonly jobs: number; readonly bytes: number } {
    return { jobs: this.#index.size, bytes: this.#index.bytes };
  }

  /** The jobs that have not ended, as far as their records are known. */
  unfinished(): readonly string[] {
    const roots: string[] = [];
    for (const look of this.#index.in('state', ACTIVE).looks()) {
      if (look.status === undefined && !this.#indexing.has(look.root)) roots.push(look.root);
    }
    return roots;
  }

  /** The job that is meant by its root, or by the beginning of its uuid. @throws PmanError conflict when several are */
  named(name: string): string | undefined {
    return this.has(name) ? name : this.#index.withShortName(name);
  }

  /** The jobs whose uuid begins so, with 4 characters or more. */
  beginningWith(beginning: string): readonly string[] {
    return this.#index.beginningWith(beginning);
  }

  shortNameOf(root: string): string {
    return this.#index.shortNameOf(root);
  }

  get(root: string): JobSummary | undefined {
    if (this.#indexing.has(root)) this.readRecord(root);
    return this.#index.get(root);
  }

  /** The same, looked up as it is asked for; only good until others get their turn. */
  look(root: string): JobLook | undefined {
    if (this.#indexing.has(root)) this.readRecord(root);
    return this.#index.look(root);
  }

  /**
   * The jobs with this leaf, oldest first; undefined when it takes a look into each record.
   * @throws PmanError unavailable while not all records are known
   */
  find(key: string, value: JsonValue): RootList | undefined {
    this.requireAll();
    return this.#index.find(key, value);
  }

  /**
   * The jobs of a state, with a label `name=value`, that something else than this host runs, of an auid or of a jid, oldest
   * first.
   * @throws PmanError unavailable while not all records are known
   */
  in(kind: ListKind, name: string): JobRows {
    this.requireAll();
    return this.#index.in(kind, name);
  }

  /**
   * The job that one with this summary repeats: one with the same idempotency key.
   * @throws PmanError conflict when that one was sent with something else, unavailable while not all records are known
   */
  sameJob(summary: JobSummary): string | undefined {
    if (summary.key === undefined) return undefined;
    this.requireAll();
    return sameJob(this.#index, summary);
  }

  put(root: string, summary: JobSummary): void {
    this.#indexing.skip(root);
    this.#eraseOutline(root);
    this.#index.put(root, summary);
  }

  remove(gone: ReadonlySet<string>): void {
    for (const root of gone) {
      this.#indexing.skip(root);
      this.#eraseOutline(root);
    }
    this.#index.remove(gone);
  }

  /** The outline of a job that has ended, where it is kept; not to be changed. */
  outline(root: string): ReadTree | undefined {
    const place = this.#index.outlineOf(root);
    return place && this.#options.outlines.read(root, place);
  }

  /** Learns of a job from its record, also when something is known of it already. */
  readRecord(root: string): void {
    const { outlines, read } = this.#options;
    const before = this.#index.get(root);
    const found = read(root);
    if (found === undefined) {
      this.remove(new Set([root]));
      return;
    }
    const { summary, record } = found;
    const outline = before?.outline;
    const isKept = outline && record && outlines.isThere(root, outline, record);
    if (isKept && isSameEnd(before, summary)) {
      this.#index.put(root, { ...summary, outline });
      return;
    }
    this.put(root, summary);
    this.file(root, record);
  }

  /** Writes down what is known of a job that has ended, for the next start and for lists. */
  file(root: string, record: TreeNode | undefined): void {
    if (this.#index.look(root)?.status === undefined) return;
    this.#eraseOutline(root);
    const place = record && this.#options.outlines.add(root, record);
    this.#index.putOutline(root, place);
    const summary = this.#index.get(root);
    if (summary !== undefined) this.#file.append(root, summary);
  }

  /** Reads no more records, and writes down what is still to be. */
  close(): void {
    this.#indexing.close();
    this.#file.flush();
    this.#options.outlines.close();
  }

  #eraseOutline(root: string): void {
    const place = this.#index.outlineOf(root);
    if (place !== undefined) this.#options.outlines.erase(root, place);
  }
}
