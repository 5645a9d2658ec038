import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { readLeaf, readTree, writeLeaf, writeTree } from '../tree/disk.ts';
import type { JobForest } from '../tree/lookup.ts';
import type { TreeNode } from '../tree/node.ts';
import { type JsonValue, jsonEquals } from '../wire/json.ts';
import { JobIndex } from './jobIndex.ts';
import { isDone } from './progress.ts';
import type { RecordEditor } from './record.ts';
import { makeDraftsFolder, makeRecordFolder, recordNames, refusal } from './recordFolder.ts';
import { TreeCache } from './treeCache.ts';

export interface DatabaseOptions {
  /** The folder that holds the records, one folder for each job; it alone is what the original's loader reads. */
  readonly folder: string;
  /** A folder of ours beside it: drafts, and files that were no leaves. */
  readonly workFolder: string;
  readonly fsync: boolean;
  readonly log: Logger;
}

/** How long a change may wait for others before it is written, in milliseconds. */
const SAVE_DELAY_MS = 100;
/** How long after a refused write it is tried again, in milliseconds. */
const RETRY_MS = 1000;
/** How long a save keeps the process to itself before others get their turn, in milliseconds. */
const SLICE_MS = 5;

/**
 * The records of all jobs: in the filesystem, one folder each, with those that are in use in memory.
 * A change is made in memory first and written soon after, with what has changed and nothing else.
 */
export class JobDatabase implements JobForest {
  readonly folder: string;
  readonly #options: DatabaseOptions;
  readonly #drafts: string;
  readonly #index = new JobIndex();
  readonly #cache = new TreeCache((root) => !this.#dirty.has(root));
  /** What has to be written: the whole record, or these leaves of it. */
  readonly #dirty = new Map<string, 'whole' | Map<string, readonly string[]>>();
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | undefined;
  #problem: string | undefined;

  private constructor(options: DatabaseOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.#drafts = makeDraftsFolder(options.folder, options.workFolder);
  }

  /**
   * Opens the database; makes its folder where there is none.
   * @throws PmanError storage when the folder cannot be made or read
   */
  static open(options: DatabaseOptions): JobDatabase {
    try {
      mkdirSync(options.folder, { recursive: true });
      mkdirSync(options.workFolder, { recursive: true, mode: 0o700 });
      const database = new JobDatabase(options);
      database.#readIndex();
      return database;
    } catch (error) {
      throw new PmanError(
        'storage',
        `cannot open the database ${options.folder}: ${messageOf(error)}`,
        {
          hint: 'name a folder that pman may write with --DBpath',
          cause: error,
        },
      );
    }
  }

  /** What keeps changes from being written, or undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  roots(): readonly string[] {
    return this.#index.roots();
  }

  tree(root: string): TreeNode | undefined {
    if (!this.#index.has(root)) return undefined;
    const cached = this.#cache.get(root);
    if (cached !== undefined) return cached;
    const read = readTree(join(this.folder, root), this.#putAside);
    if (read === undefined) return undefined;
    this.#cache.put(root, read.tree, read.weight);
    return read.tree;
  }

  /** The jobs whose root-level leaf `key` equals `value` as Python compares (protocol a.7), oldest first. */
  find(key: string, value: JsonValue): readonly string[] {
    const indexed = this.#index.find(key, value);
    if (indexed !== undefined) return indexed;
    return this.roots().filter((root) => {
      const leaf = this.#leaf(root, key);
      return leaf !== undefined && jsonEquals(leaf, value);
    });
  }

  #leaf(root: string, key: string): JsonValue | undefined {
    const cached = this.#cache.get(root);
    if (cached !== undefined) return cached.leaves.get(key);
    if (key.includes('/') || key.includes('\0') || key === '' || key.startsWith('.')) {
      return undefined;
    }
    const file = join(this.folder, root, key);
    if (!existsSync(file) || statSync(file).isDirectory()) return undefined;
    return readLeaf(file, this.#putAside)?.value;
  }

  /** Takes in the record of a new job. It stays in memory until `release`. */
  add(root: string, record: TreeNode): void {
    this.#index.add(root, record.leaves);
    this.#cache.pin(root, record);
    this.#mark(root, 'whole');
  }

  /** The record of a job, to be changed; undefined when there is no such job. */
  edit(root: string): RecordEditor | undefined {
    const record = this.tree(root);
    if (record === undefined) return undefined;
    return {
      cat: (path) => record.cat(path),
      touch: (path, value) => {
        record.touch(path, value);
        this.#mark(root, path);
        // It may have left the memory at once, for want of room: what is to be written stays.
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

  /** The job changes no more: its record may leave the memory once it is written. */
  release(root: string): void {
    this.#cache.unpin(root);
  }

  /** Removes jobs' records, from memory at once and from the disk. */
  remove(roots: readonly string[]): void {
    const known = roots.filter((root) => this.#index.has(root));
    this.#index.remove(new Set(known));
    for (const root of known) {
      this.#cache.remove(root);
      this.#dirty.delete(root);
      this.#discard(join(this.folder, root));
    }
  }

  /**
   * Writes what has changed. Does not throw: what the disk refuses stays to be written, `problem` says why,
   * and it is tried again.
   */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#saving !== undefined) await this.#saving;
    this.#saving = this.#saveDirty().finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  /**
   * Writes records into another folder, beside what pman records it holds already.
   * @throws PmanError conflict when the folder holds anything but records, storage when the disk refuses
   */
  async saveTo(folder: string, roots: readonly string[] = this.roots()): Promise<void> {
    makeRecordFolder(folder);
    let drafts: string | undefined;
    try {
      drafts = mkdtempSync(`${folder}.new-`);
      for (const root of roots) {
        const record = this.tree(root);
        if (record) writeTree(join(folder, root), record, { drafts, fsync: this.#options.fsync });
        await nextTurn();
      }
    } catch (error) {
      throw refusal(`cannot write to ${folder}`, error);
    } finally {
      if (drafts !== undefined) rmSync(drafts, { recursive: true, force: true });
    }
  }

  /**
   * Takes in the records that a folder holds; it is made where it is missing. From the database's own folder,
   * records that are gone there are dropped here too; those of jobs that have not ended stay.
   * @throws PmanError conflict when the folder holds anything but records, storage when it cannot be made
   */
  async loadFrom(folder: string): Promise<void> {
    if (folder === this.folder) {
      await this.save();
      this.#forgetClean();
      this.#readIndex();
      return;
    }
    makeRecordFolder(folder);
    for (const root of recordNames(folder)) {
      if (this.#index.has(root)) continue;
      const read = readTree(join(folder, root), () => undefined);
      if (read === undefined) continue;
      this.add(root, read.tree);
      if (isDone(read.tree)) this.release(root);
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    await this.save();
    clearTimeout(this.#timer);
    rmSync(this.#drafts, { recursive: true, force: true });
  }

  #readIndex(): void {
    for (const root of recordNames(this.folder)) {
      if (this.#index.has(root)) continue;
      const leaves = new Map<string, JsonValue>();
      for (const key of JobIndex.keys) {
        const leaf = this.#leaf(root, key);
        if (leaf !== undefined) leaves.set(key, leaf);
      }
      this.#index.add(root, leaves);
    }
  }

  /** Drops what can be read again from the disk, and the jobs whose records are gone from there. */
  #forgetClean(): void {
    const present = new Set(recordNames(this.folder));
    const gone = new Set<string>();
    for (const root of this.roots()) {
      if (this.#dirty.has(root) || this.#cache.isPinned(root)) continue;
      this.#cache.remove(root);
      if (!present.has(root)) gone.add(root);
    }
    this.#index.remove(gone);
  }

  #mark(root: string, what: 'whole' | readonly string[]): void {
    const known = this.#dirty.get(root);
    if (what === 'whole') this.#dirty.set(root, 'whole');
    else if (known === undefined) this.#dirty.set(root, new Map([[what.join('/'), what]]));
    else if (known !== 'whole') known.set(what.join('/'), what);
    this.#saveSoon(this.#problem === undefined ? SAVE_DELAY_MS : RETRY_MS);
  }

  #saveSoon(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.save();
    }, delayMs);
  }

  async #saveDirty(): Promise<void> {
    let sliceEnd = performance.now() + SLICE_MS;
    for (const [root, what] of [...this.#dirty]) {
      // From here on a change marks the record anew, also while this write is refused.
      this.#dirty.delete(root);
      try {
        this.#write(root, what);
        this.#solved();
      } catch (error) {
        this.#dirty.set(root, 'whole');
        this.#refused(error);
        this.#saveSoon(RETRY_MS);
        return;
      }
      if (performance.now() > sliceEnd) {
        await nextTurn();
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
  }

  #write(root: string, what: 'whole' | Map<string, readonly string[]>): void {
    const record = this.#cache.get(root);
    if (record === undefined) return; // removed meanwhile
    const options = { drafts: this.#drafts, fsync: this.#options.fsync };
    if (what === 'whole' || !existsSync(join(this.folder, root))) {
      mkdirSync(this.folder, { recursive: true });
      mkdirSync(this.#drafts, { recursive: true });
      this.#cache.weigh(root, writeTree(join(this.folder, root), record, options));
      return;
    }
    for (const path of what.values()) {
      const value = record.cat(path);
      if (value === undefined) continue;
      this.#cache.grow(root, writeLeaf(join(this.folder, root, ...path), value, options));
    }
  }

  #refused(error: unknown): void {
    const problem = `cannot write to ${this.folder}: ${messageOf(error)}`;
    if (problem !== this.#problem) this.#options.log.error(problem);
    this.#problem = problem;
  }

  #solved(): void {
    if (this.#problem === undefined) return;
    this.#options.log.info('the database can be written again', { folder: this.folder });
    this.#problem = undefined;
  }

  /** Takes a folder away in one step, then removes it: a reader never sees half of it. */
  #discard(folder: string): void {
    if (!existsSync(folder)) return;
    const away = join(this.#drafts, `gone-${basename(folder)}`);
    try {
      renameSync(folder, away);
      rmSync(away, { recursive: true, force: true });
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Moves a file that is no leaf to where nobody trips over it again. */
  readonly #putAside = (file: string, reason: string): void => {
    const aside = join(this.#options.workFolder, 'unreadable');
    const name = `${Date.now()}-${file.slice(this.folder.length + 1).replaceAll('/', '~')}`;
    this.#options.log.warn('a leaf is not readable and was moved aside', {
      file,
      reason,
      to: join(aside, name),
    });
    try {
      mkdirSync(aside, { recursive: true });
      renameSync(file, join(aside, name));
    } catch (error) {
      this.#options.log.warn('it could not be moved', { file, reason: messageOf(error) });
    }
  };
}
