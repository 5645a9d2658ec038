import { rmSync } from 'node:fs';
import { sharedCall } from '../concurrency/sharedCall.ts';
import { messageOf, PmanError } from '../errors.ts';
import { lossOf, requireHeld } from '../host/heldFolders.ts';
import { PRIVATE, type Rights } from '../host/rights.ts';
import type { Logger } from '../log.ts';
import type { TreeNode } from '../tree/node.ts';
import { charsIn } from '../wire/json.ts';
import { claimFolders, warnOfReaders } from './claim.ts';
import { makeDraftsFolder, namesInFolder } from './folder.ts';
import { type QuestionOptions, RecordQuestions } from './questions.ts';
import type { RecordEditor } from './record.ts';
import { RecordFiling } from './recordFiling.ts';
import type { RecordObserver } from './recordObserver.ts';
import { RecordRemover, type RemoveOptions } from './recordRemover.ts';
import { type MarkOptions, RecordWriter } from './recordWriter.ts';
import { readAnew } from './rereading.ts';

export interface DatabaseOptions extends QuestionOptions {
  readonly fsync: boolean;
  /** Of the folders and files of the records; default: for this user alone. */
  readonly rights?: Rights;
}

/** How long a change may wait to be written: longer where another file has what is needed to make the record anew. */
export type WriteOptions = Pick<MarkOptions, 'withinMs'>;

/**
 * The records of all jobs: in the filesystem, one folder each, with those that are in use in memory.
 * A change is made in memory first and written soon after, with what has changed and nothing else.
 */
export class JobDatabase extends RecordQuestions {
  readonly folder: string;
  /** Whether the disk is asked to confirm what is written. */
  readonly fsync: boolean;
  /** Of the folders and files of records. */
  readonly rights: Rights;
  readonly #log: Logger;
  readonly #summaryOf: DatabaseOptions['summaryOf'];
  readonly #drafts: string;
  readonly #writer: RecordWriter;
  readonly #filing: RecordFiling;
  readonly #remover: RecordRemover;
  readonly #readAgain: () => Promise<void>;
  #observer: RecordObserver | undefined;
  #isClosed = false;

  private constructor(options: DatabaseOptions) {
    super(options);
    this.folder = options.folder;
    this.fsync = options.fsync;
    this.rights = options.rights ?? PRIVATE;
    this.#log = options.log;
    this.#summaryOf = options.summaryOf;
    this.#drafts = makeDraftsFolder(options.folder, options.workFolder);
    const { catalog, cache } = this;
    const observer = () => this.#observer;
    this.#filing = new RecordFiling(catalog, observer);
    this.#writer = new RecordWriter({
      folder: options.folder,
      drafts: this.#drafts,
      fsync: options.fsync,
      rights: this.rights,
      log: options.log,
      recordOf: (root) => cache.get(root),
      onWritten: (root, record, size) => {
        if ('all' in size) cache.weigh(root, size.all);
        else cache.grow(root, size.more);
        this.#filing.written(root, record);
      },
    });
    const parts = { catalog, cache, writer: this.#writer };
    const remover = new RecordRemover({
      ...{ ...parts, filing: this.#filing, observer },
      isClosed: () => this.#isClosed,
    });
    this.#remover = remover;
    this.#readAgain = sharedCall(() => readAnew({ ...parts, folder: this.folder, remover }));
  }

  protected override isWritten(root: string): boolean {
    return !this.#writer.has(root);
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
      database.catalog.open(namesInFolder(folder));
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
   * The job that a new record repeats: one that was sent before with the same idempotency key.
   * @throws PmanError conflict when that one was sent with something else, unavailable while not all records are known
   */
  sameJob(record: TreeNode): string | undefined {
    return this.catalog.sameJob(this.#summaryOf(record));
  }

  /** Takes in the record of a new job. It stays in memory until `release`. */
  add(root: string, record: TreeNode, how: WriteOptions = {}): void {
    this.catalog.put(root, this.#summaryOf(record));
    this.cache.pin(root, record);
    this.#writer.mark(root, 'whole', how);
    this.#observer?.changed(root);
  }

  /** The record of a job, to be changed; undefined when there is no such job. */
  edit(root: string, how: WriteOptions = {}): RecordEditor | undefined {
    const record = this.tree(root);
    if (record === undefined) return undefined;
    return {
      cat: (path) => record.cat(path),
      touch: (path, value) => {
        record.touch(path, value);
        this.#writer.mark(root, path, { ...how, chars: charsIn(value) });
        this.#observer?.changed(root);
        // A large one may have left the memory at once: until it is written it stays.
        if (this.cache.get(root) === undefined) this.cache.put(root, record, 0);
      },
      mkdir: (path) => {
        record.mkdir(path);
      },
    };
  }

  /** Keeps a record in memory while its job runs. */
  hold(root: string): void {
    const record = this.tree(root);
    if (record !== undefined) this.cache.pin(root, record);
  }

  /**
   * The job has ended: its record changes no more and may leave the memory once it is written.
   * @param outputBytes what its outputs take on the disk
   * @param whenFiled called once it is written
   */
  release(root: string, outputBytes = 0, whenFiled: () => void = () => undefined): void {
    const record = this.cache.get(root);
    if (record !== undefined) this.catalog.put(root, this.#summaryOf(record, outputBytes));
    this.#filing.expect(root, whenFiled);
    this.#writer.markLast(root);
    this.cache.unpin(root);
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
   * @throws PmanError storage when the folder itself has been moved or removed: then no record is taken to be gone
   */
  async reload(): Promise<void> {
    await this.save();
    const loss = lossOf(this.folder);
    if (loss !== undefined) throw new PmanError('storage', `the records cannot be read: ${loss}`);
    await this.#readAgain();
  }

  /**
   * Writes what has changed and lets go of the folder. What is not written by `deadlineMs` from now stays unwritten:
   * the spool still has it.
   */
  async close(deadlineMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#isClosed = true;
    await this.#writer.close(deadlineMs);
    this.catalog.close();
    try {
      requireHeld(this.#drafts);
      rmSync(this.#drafts, { recursive: true, force: true });
    } catch (error) {
      // A disk that takes nothing any more: the next start removes them.
      this.#log.warn('the drafts stay', { reason: messageOf(error) });
    }
  }
}
