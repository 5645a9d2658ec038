import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sharedCall } from '../concurrency/sharedCall.ts';
import type { Soon } from '../concurrency/soon.ts';
import type { Pace } from '../concurrency/turns.ts';
import { messageOf, PmanError } from '../errors.ts';
import { PRIVATE, type Rights } from '../host/rights.ts';
import type { Logger } from '../log.ts';
import type { JobForest } from '../tree/lookup.ts';
import type { TreeNode } from '../tree/node.ts';
import { charsIn, type JsonValue } from '../wire/json.ts';
import { TreeCache } from './cache.ts';
import { claimFolders, warnOfReaders } from './claim.ts';
import { makeDraftsFolder, recordNames } from './folder.ts';
import { Catalog } from './index/catalog.ts';
import type { JobSummary, ListKind } from './index/jobIndex.ts';
import type { RecordEditor } from './record.ts';
import { RecordFiling } from './recordFiling.ts';
import type { RecordObserver } from './recordObserver.ts';
import { RecordReader } from './recordReader.ts';
import { RecordRemover, type RemoveOptions } from './recordRemover.ts';
import { RecordSearch } from './recordSearch.ts';
import { RecordWriter } from './recordWriter.ts';
import { readAnew } from './rereading.ts';
import { putAside } from './unreadable.ts';

export interface DatabaseOptions {
  /** The folder that holds the records, one folder for each job; it alone is what the original's loader reads. */
  readonly folder: string;
  /** A folder of ours beside it: the index, drafts, and files that were no leaves. */
  readonly workFolder: string;
  readonly fsync: boolean;
  /**
   * What is to be known of a job without its record. `outputBytes`: what its outputs take on the disk, where known.
   */
  readonly summaryOf: (record: TreeNode, outputBytes?: number) => JobSummary;
  /** Of the folders and files of the records; default: for this user alone. */
  readonly rights?: Rights;
  /** How long records that the index does not know are read before the database counts as open; default 2000 ms. */
  readonly firstReadMs?: number;
  readonly log: Logger;
}

const FIRST_READ_MS = 2000;

/**
 * The records of all jobs: in the filesystem, one folder each, with those that are in use in memory.
 * A change is made in memory first and written soon after, with what has changed and nothing else.
 */
export class JobDatabase implements JobForest {
  readonly folder: string;
  /** Whether the disk is asked to confirm what is written. */
  readonly fsync: boolean;
  /** Of the folders and files of records. */
  readonly rights: Rights;
  readonly #log: Logger;
  readonly #summaryOf: DatabaseOptions['summaryOf'];
  readonly #drafts: string;
  readonly #catalog: Catalog;
  readonly #cache = new TreeCache((root) => !this.#writer.has(root));
  readonly #writer: RecordWriter;
  readonly #reader: RecordReader;
  readonly #filing: RecordFiling;
  readonly #search: RecordSearch;
  readonly #remover: RecordRemover;
  readonly #readAgain: () => Promise<void>;
  #observer: RecordObserver | undefined;
  #isClosed = false;

  private constructor(options: DatabaseOptions) {
    this.folder = options.folder;
    this.fsync = options.fsync;
    this.rights = options.rights ?? PRIVATE;
    this.#log = options.log;
    this.#summaryOf = options.summaryOf;
    this.#reader = new RecordReader({
      folder: options.folder,
      cache: this.#cache,
      summaryOf: options.summaryOf,
      onUnreadable: putAside(options),
    });
    this.#drafts = makeDraftsFolder(options.folder, options.workFolder);
    this.#catalog = new Catalog({
      file: join(options.workFolder, 'index.jsonl'),
      read: (root) => this.#reader.summary(root),
      firstReadMs: options.firstReadMs ?? FIRST_READ_MS,
      log: options.log,
    });
    const observer = () => this.#observer;
    this.#filing = new RecordFiling(this.#catalog, observer);
    this.#writer = new RecordWriter({
      folder: options.folder,
      drafts: this.#drafts,
      fsync: options.fsync,
      rights: this.rights,
      log: options.log,
      recordOf: (root) => this.#cache.get(root),
      onWritten: (root, size) => {
        if ('all' in size) this.#cache.weigh(root, size.all);
        else this.#cache.grow(root, size.more);
        this.#filing.written(root);
      },
    });
    this.#search = new RecordSearch(this.#catalog, this.#reader);
    const parts = { catalog: this.#catalog, cache: this.#cache, writer: this.#writer };
    const remover = new RecordRemover({
      ...{ ...parts, filing: this.#filing, observer },
      isClosed: () => this.#isClosed,
    });
    this.#remover = remover;
    this.#readAgain = sharedCall(() => readAnew({ ...parts, folder: this.folder, remover }));
  }

  /**
   * Opens the database; makes its folder where there is none.
   * @throws PmanError storage when the folder cannot be made or read, or others may write there
   */
  static open(options: DatabaseOptions): JobDatabase {
    const { folder, workFolder, log } = options;
    const folders = { folder, rights: options.rights ?? PRIVATE, work: [workFolder] };
    claimFolders(folders);
    warnOfReaders(folders, log);
    try {
      const database = new JobDatabase(options);
      database.#catalog.open(recordNames(folder));
      return database;
    } catch (error) {
      const message = `cannot open the database ${folder}: ${messageOf(error)}`;
      throw new PmanError('storage', message, {
        hint: 'name a folder that pman may write with --DBpath',
        cause: error,
      });
    }
  }

  /** From now on somebody is told what becomes of records. */
  observe(observer: RecordObserver): void {
    this.#observer = observer;
  }

  /** What keeps changes from being written, or undefined when all is well. */
  get problem(): string | undefined {
    return this.#writer.problem;
  }

  /** The disk has refused to take what belongs to a job: the records have the same fate before them. */
  refused(error: unknown): void {
    this.#writer.refused(error);
  }

  /**
   * How far the reading of records is that the index did not know; undefined when all are known. Until then jobs are
   * known by their names, and what finds them by anything else is refused.
   */
  get indexing(): Catalog['progress'] {
    return this.#catalog.progress;
  }

  /** Resolves when all records are known, or the database is closed. */
  get indexed(): Promise<void> {
    return this.#catalog.complete;
  }

  /** @throws PmanError unavailable while not all records are known */
  requireIndex(): void {
    this.#catalog.requireAll();
  }

  /** How many jobs there are, and about what those that have ended take on the disk, as far as they are known. */
  get size(): { readonly jobs: number; readonly bytes: number } {
    return this.#catalog.size;
  }

  roots(): readonly string[] {
    return this.#catalog.roots();
  }

  /** The jobs that have not ended, as far as their records are known. */
  unfinished(): readonly string[] {
    return this.#catalog.unfinished();
  }

  has(root: string): boolean {
    return this.#catalog.has(root);
  }

  /** What is known of a job without its record; its status only once it has ended. */
  summary(root: string): JobSummary | undefined {
    return this.#catalog.get(root);
  }

  /** @throws PmanError unavailable when it cannot be read just now */
  tree(root: string): TreeNode | undefined {
    if (!this.#catalog.has(root)) return undefined;
    return this.#reader.tree(root);
  }

  /**
   * The job that a name means: its root, or the beginning of the uuid in that, of 4 characters or more.
   * @throws PmanError conflict when it means several
   */
  named(name: string): string | undefined {
    return this.#catalog.named(name);
  }

  /** Whether the uuid of a job begins so. */
  hasBeginning(beginning: string): boolean {
    return this.#catalog.hasBeginning(beginning);
  }

  /** A short name of a job for people, which means no other one now. */
  shortNameOf(root: string): string {
    return this.#catalog.shortNameOf(root);
  }

  /**
   * The jobs of an auid, oldest first.
   * @throws PmanError unavailable while not all records are known
   */
  rootsOf(auid: string): readonly string[] {
    return this.#catalog.find('auid', auid) ?? [];
  }

  /**
   * The jobs of a state (`active`: those that have not ended), with a label `name=value`, or that `ssh` or a `container`
   * runs, oldest first.
   * @throws PmanError unavailable while not all records are known
   */
  in(kind: ListKind, name: string): readonly string[] {
    return this.#catalog.in(kind, name);
  }

  /**
   * The jobs whose root-level leaf `key` equals `value` as Python compares (protocol a.7), oldest first; by `jobRoot` and
   * `id` the one of that name.
   * @throws PmanError unavailable while not all records are known
   */
  find(key: string, value: JsonValue, pace?: Pace): Soon<readonly string[]> {
    return this.#search.find(key, value, pace);
  }

  /**
   * The job that a new record repeats: one that was sent before with the same idempotency key.
   * @throws PmanError conflict when that one was sent with something else, unavailable while not all records are known
   */
  sameJob(record: TreeNode): string | undefined {
    return this.#catalog.sameJob(this.#summaryOf(record));
  }

  /** Takes in the record of a new job. It stays in memory until `release`. */
  add(root: string, record: TreeNode): void {
    this.#catalog.put(root, this.#summaryOf(record));
    this.#cache.pin(root, record);
    this.#writer.mark(root, 'whole');
    this.#observer?.changed(root);
  }

  /** The record of a job, to be changed; undefined when there is no such job. */
  edit(root: string): RecordEditor | undefined {
    const record = this.tree(root);
    if (record === undefined) return undefined;
    return {
      cat: (path) => record.cat(path),
      touch: (path, value) => {
        record.touch(path, value);
        this.#writer.mark(root, path, charsIn(value));
        this.#observer?.changed(root);
        // A large one may have left the memory at once: until it is written it stays.
        if (this.#cache.get(root) === undefined) this.#cache.put(root, record, 0);
      },
      mkdir: (path) => {
        record.mkdir(path);
      },
    };
  }

  /** Keeps a record in memory while its job runs. */
  hold(root: string): void {
    const record = this.tree(root);
    if (record !== undefined) this.#cache.pin(root, record);
  }

  /**
   * The job has ended: its record changes no more and may leave the memory once it is written.
   * @param outputBytes what its outputs take on the disk
   * @param whenFiled called once it is written
   */
  release(root: string, outputBytes = 0, whenFiled: () => void = () => undefined): void {
    const record = this.#cache.get(root);
    if (record !== undefined) this.#catalog.put(root, this.#summaryOf(record, outputBytes));
    this.#filing.expect(root, whenFiled);
    this.#writer.markLast(root);
    this.#cache.unpin(root);
  }

  /**
   * Removes records of jobs that have ended, in turns with other work. One that the disk refuses to remove stays, in
   * memory too.
   * @throws PmanError storage when there are such; the others are gone
   */
  remove(roots: readonly string[], options?: RemoveOptions): Promise<void> {
    return this.#remover.remove(roots, options);
  }

  /**
   * Writes what has changed. Does not throw: what the disk refuses stays to be written, `problem` says why,
   * and it is tried again.
   */
  async save(): Promise<void> {
    await this.#writer.save();
  }

  /**
   * Reads all records again, after what has changed is written: those that are gone from the folder are dropped here
   * too; those of jobs that have not ended stay.
   */
  async reload(): Promise<void> {
    await this.save();
    await this.#readAgain();
  }

  /**
   * Writes what has changed and lets go of the folder. What is not written by `deadlineMs` from now stays unwritten:
   * the spool still has it.
   */
  async close(deadlineMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#isClosed = true;
    await this.#writer.close(deadlineMs);
    this.#catalog.close();
    try {
      rmSync(this.#drafts, { recursive: true, force: true });
    } catch (error) {
      // A disk that takes nothing any more: the next start removes them.
      this.#log.warn('the drafts stay', { reason: messageOf(error) });
    }
  }
}
