import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { messageOf } from '../errors.ts';
import { makeFolder } from '../host/folders.ts';
import { lossOf, requireHeld } from '../host/heldFolders.ts';
import { PRIVATE, type Rights } from '../host/rights.ts';
import type { Logger } from '../log.ts';
import { writeLeaf, writeTree } from '../tree/disk.ts';
import type { TreeNode } from '../tree/node.ts';
import { discardRecord, workFolderOf } from './folder.ts';
import { WritePace } from './writePace.ts';

export interface RecordWriterOptions {
  /** The folder of the records. */
  readonly folder: string;
  /** A folder on the same file system, for what is not renamed into place yet. */
  readonly drafts: string;
  readonly fsync: boolean;
  /** Of the folders and files of records. */
  readonly rights: Rights;
  readonly log: Logger;
  /** The record of a job as it is now, or undefined when there is none any more. */
  readonly recordOf: (root: string) => TreeNode | undefined;
  /**
   * What is marked of a record has been written: so many characters, which are all of it or come on top. What it
   * throws counts as refused.
   */
  readonly onWritten: (
    root: string,
    record: TreeNode,
    size: { readonly all: number } | { readonly more: number },
  ) => void;
}

/** How long a change may wait for others before it is written, unless its maker says otherwise, in milliseconds. */
const SAVE_DELAY_MS = 100;
/** How long after a refused write it is tried again, in milliseconds. */
const RETRY_MS = 1000;
/** With more characters of outputs to be written than this, a save does nothing else. */
const MAX_UNWRITTEN_CHARS = 8 * 1024 * 1024;

/** What has to be written of a record: all of it, or these leaves (none: only `onWritten` is to be called). */
interface Unwritten {
  whole: boolean;
  leaves?: Map<string, readonly string[]>;
  /** Whether its job has ended: once written, it may leave the memory. */
  isLast: boolean;
  /** About how much memory it takes until then, in characters. */
  chars: number;
  /** When it is to be written, on the clock of `performance.now()`; before, when somebody waits for a save. */
  dueAt: number;
}

export interface MarkOptions {
  /** About how much memory it takes until it is written, beyond what a record takes anyway, in characters. */
  readonly chars?: number;
  /** How long it may wait for others, in milliseconds: longer for what another file has meanwhile. */
  readonly withinMs?: number;
}

/**
 * Writes changed records to the disk, soon after they changed: only what has changed. What the disk refuses is written
 * later, as often as it takes.
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #unwritten = new Map<string, Unwritten>();
  readonly #pace = new WritePace();
  /** Of all that is unwritten. */
  #chars = 0;
  /** How many of these are of jobs that have ended. */
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When that is, on the clock of `performance.now()`. */
  #timerAt = Number.POSITIVE_INFINITY;
  #saving: Promise<void> | undefined;
  #waitedFor = false;
  /** When to stop writing, on the clock of `performance.now()`. */
  #deadline = Number.POSITIVE_INFINITY;
  #problem: string | undefined;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
  }

  /** What keeps changes from being written, or undefined when all is well. */
  get problem(): string | undefined {
    // Nothing was refused yet when the folder has just been moved: what another process makes in its place would take it.
    const loss = this.#loss;
    if (loss !== undefined) this.refused(new Error(loss));
    return this.#problem;
  }

  get #loss(): string | undefined {
    const { folder } = this.#options;
    return lossOf(folder) ?? lossOf(workFolderOf(folder));
  }

  /** Whether something of a record is not written yet. */
  has(root: string): boolean {
    return this.#unwritten.has(root);
  }

  /** Has what is marked of a record written: its job has ended, and nothing more will be. */
  markLast(root: string): void {
    this.mark(root, 'nothing');
    const unwritten = this.#unwritten.get(root);
    if (unwritten === undefined || unwritten.isLast) return;
    unwritten.isLast = true;
    this.#last += 1;
    this.#pace.jobEnded();
  }

  /** Has a record written: all of it, the leaf at a path, or nothing that is not marked already. */
  mark(
    root: string,
    what: 'whole' | 'nothing' | readonly string[],
    { chars = 0, withinMs = SAVE_DELAY_MS }: MarkOptions = {},
  ): void {
    const dueAt = performance.now() + withinMs;
    let unwritten = this.#unwritten.get(root);
    if (unwritten === undefined) {
      unwritten = { whole: false, isLast: false, chars: 0, dueAt };
      this.#unwritten.set(root, unwritten);
    }
    if (what === 'whole') unwritten.whole = true;
    else if (what !== 'nothing' && !unwritten.whole) {
      unwritten.leaves ??= new Map();
      unwritten.leaves.set(what.join('/'), what);
    }
    this.#chars += chars;
    unwritten.chars += chars;
    unwritten.dueAt = Math.min(unwritten.dueAt, dueAt);
    this.#saveSoon(this.#problem === undefined ? withinMs : RETRY_MS);
  }

  /**
   * Removes a record from the disk.
   * @throws the file system's error when it refuses; the record is whole then
   */
  discard(root: string): void {
    this.#requireFolders();
    discardRecord(join(this.#options.folder, root), this.#options.drafts);
    this.#take(root);
  }

  /** Writes all that is marked, as fast as it goes. Does not throw: `problem` says what was refused. */
  async save(): Promise<void> {
    this.#waitedFor = true;
    try {
      await this.#save();
    } finally {
      this.#waitedFor = false;
    }
  }

  /** Writes what is marked until `deadlineMs` from now, then nothing any more. */
  async close(deadlineMs: number): Promise<void> {
    this.#deadline = performance.now() + deadlineMs;
    await this.save();
    this.#stopTimer();
  }

  #saveSoon(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (at >= this.#timerAt || performance.now() > this.#deadline) return;
    this.#stopTimer();
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#stopTimer();
      void this.#save();
    }, delayMs);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  async #save(): Promise<void> {
    this.#stopTimer();
    while (this.#saving !== undefined) await this.#saving;
    this.#saving = this.#saveUnwritten().finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  async #saveUnwritten(): Promise<void> {
    if (this.#unwritten.size === 0 && this.#problem !== undefined) this.#probe();
    this.#pace.begin();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const root of [...this.#unwritten.keys()]) {
      const isToWait = !this.#waitedFor && this.#problem === undefined;
      const dueAt = this.#unwritten.get(root)?.dueAt ?? 0;
      if (isToWait && dueAt > performance.now()) {
        nextAt = Math.min(nextAt, dueAt);
        continue;
      }
      // From here on a change marks the record anew.
      const what = this.#take(root);
      if (what === undefined) continue; // removed meanwhile
      try {
        this.#write(root, what);
        this.#solved();
      } catch (error) {
        this.mark(root, 'whole', { chars: what.chars });
        if (what.isLast) this.markLast(root);
        this.refused(error);
        return;
      }
      if (performance.now() > this.#deadline) return;
      if (!this.#pace.isOver || this.#hasLongTexts) continue;
      await this.#pace.pause(() => ({
        isUrgent: this.#waitedFor || this.#hasLongTexts,
        ended: this.#last,
      }));
    }
    if (nextAt < Number.POSITIVE_INFINITY) this.#saveSoon(Math.max(0, nextAt - performance.now()));
  }

  get #hasLongTexts(): boolean {
    return this.#chars > MAX_UNWRITTEN_CHARS;
  }

  /** What is unwritten of a record, which from here on counts as written. */
  #take(root: string): Unwritten | undefined {
    const unwritten = this.#unwritten.get(root);
    this.#unwritten.delete(root);
    this.#chars -= unwritten?.chars ?? 0;
    if (unwritten?.isLast === true) this.#last -= 1;
    return unwritten;
  }

  #write(root: string, { whole, leaves }: Unwritten): void {
    const { recordOf, onWritten } = this.#options;
    const record = recordOf(root);
    if (record === undefined) return; // removed meanwhile
    this.#requireFolders();
    const folder = join(this.#options.folder, root);
    if (whole || !existsSync(folder)) {
      this.#makeFolders();
      onWritten(root, record, { all: writeTree(folder, record, this.#options) });
      return;
    }
    let more = 0;
    for (const path of leaves?.values() ?? []) {
      const value = record.cat(path);
      if (value !== undefined) more += writeLeaf(join(folder, ...path), value, this.#options);
    }
    onWritten(root, record, { more });
  }

  /** @throws Error when one of them is not where this process took it: what is there by now is somebody else's */
  #requireFolders(): void {
    requireHeld(this.#options.folder);
    requireHeld(workFolderOf(this.#options.folder));
  }

  /** Somebody may have removed them, as far as this process does not hold them. */
  #makeFolders(): void {
    const { folder, drafts, rights } = this.#options;
    this.#requireFolders();
    if (!existsSync(folder)) makeFolder(folder, rights.folder);
    if (!existsSync(drafts)) makeFolder(drafts, PRIVATE.folder);
  }

  /** Finds out whether the disk takes anything again, when there is nothing to be written. */
  #probe(): void {
    const { drafts, folder } = this.#options;
    try {
      this.#makeFolders();
      for (const place of [drafts, folder]) {
        const file = join(place, `.probe-${process.pid}`);
        writeFileSync(file, '0');
        rmSync(file);
      }
      this.#solved();
    } catch (error) {
      this.refused(error);
    }
  }

  /** The disk has refused something: `problem` says so until it takes a file again, which is tried now and then. */
  refused(error: unknown): void {
    const { log, folder } = this.#options;
    const problem = `cannot write to ${folder}: ${messageOf(error)}`;
    if (problem !== this.#problem) log.error(problem);
    this.#problem = problem;
    this.#saveSoon(RETRY_MS);
  }

  #solved(): void {
    if (this.#problem === undefined) return;
    this.#options.log.info('the database can be written again', { folder: this.#options.folder });
    this.#problem = undefined;
  }
}
