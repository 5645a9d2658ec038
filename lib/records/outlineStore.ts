import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { isFolder, makeFolder } from '../host/folders.ts';
import { requireHeld } from '../host/heldFolders.ts';
import { LateWriter } from '../host/lateWriter.ts';
import { PRIVATE } from '../host/rights.ts';
import type { Logger } from '../log.ts';
import type { ReadTree } from '../tree/disk.ts';
import type { TreeNode } from '../tree/node.ts';
import type { OutlinePlace } from './index/jobSummary.ts';
import { isOf, MOST_BYTES, outlineIn, outlineText } from './outlineText.ts';

/** A file is added to until it is so long, in bytes. */
const SEGMENT_BYTES = 8 * 1024 * 1024;
/** What lies between the places of one file and those of the next; a file ends before. */
const SEGMENT_SPAN = 16 * 1024 * 1024;
/** So many files are open at a time. */
const MOST_OPEN = 16;
/** A file of which less is of jobs that are there is removed: the others are read from their records. */
const LEAST_SHARE = 1 / 4;

const TO_READ = constants.O_RDWR;
const TO_MAKE = constants.O_RDWR | constants.O_CREAT;
const NAME = /^(\d{10})\.jsonl$/;

/** So much is read at once, and what is longer than a line beyond that. */
const BLOCK_BYTES = 64 * 1024;
const NONE = -1;

/** A part of a file as it was read. */
interface Block {
  readonly number: number;
  readonly from: number;
  readonly room: Buffer;
  /** What of the room is filled. */
  readonly bytes: Buffer;
}

const segmentOf = (at: number) => Math.floor(at / SEGMENT_SPAN);

interface Segment {
  bytes: number;
  /** Of those, what is of jobs that are there. */
  live: number;
}

/**
 * Outlines of jobs that have ended, a line each, one behind the other in a few files: a list of a hundred old jobs would open a
 * thousand leaves else. All of it is in the records too and can be lost; who knows the place of a line finds it, or nothing.
 */
export class OutlineStore {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #segments = new Map<number, Segment>();
  readonly #fds = new Map<number, number>();
  readonly #late = new LateWriter((text) => this.#write(text));
  /** The number of the file that is added to. */
  #newest = 0;
  /** How long that will be with what is not written yet. */
  #end = SEGMENT_BYTES;
  #block: Block | undefined;
  #hasComplained = false;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Finds the files that are there, and removes those of which little is told by these places. */
  open(places: Iterable<OutlinePlace>): void {
    this.#tryTo(() => {
      for (const name of isFolder(this.#folder) ? readdirSync(this.#folder) : []) {
        const number = Number(NAME.exec(name)?.[1]);
        if (Number.isNaN(number)) continue;
        const { size } = statSync(this.#fileOf(number));
        this.#segments.set(number, { bytes: size, live: 0 });
        this.#newest = Math.max(this.#newest, number);
      }
    });
    for (const [at, size] of places) {
      const number = segmentOf(at);
      const segment = this.#segments.get(number);
      if (segment !== undefined) segment.live += size;
      // Of a file that is gone: no other line is to stand there.
      this.#newest = Math.max(this.#newest, number);
    }
    this.#end = this.#segments.get(this.#newest)?.bytes ?? SEGMENT_BYTES;
    for (const number of [...this.#segments.keys()]) this.#removeIfDead(number);
  }

  /** Keeps the outline of a job that has ended; where it stands, or undefined for one that is too long. */
  add(root: string, record: TreeNode): OutlinePlace | undefined {
    const text = outlineText(root, record);
    if (text === undefined) return undefined;
    if (this.#end >= SEGMENT_BYTES) this.#begin();
    const at = this.#newest * SEGMENT_SPAN + this.#end;
    const segment = this.#segments.get(this.#newest);
    if (segment !== undefined) {
      segment.bytes += text.length;
      segment.live += text.length;
    }
    this.#end += text.length;
    this.#late.add(text);
    return [at, text.length];
  }

  /** The outline of a job, not to be changed; undefined where it is not there any more. */
  read(root: string, place: OutlinePlace): ReadTree | undefined {
    const text = this.#textAt(place);
    const tree = isOf(root, text) ? outlineIn(text) : undefined;
    return tree && { tree, weight: text.length };
  }

  /** Whether the outline of this record stands there. */
  isThere(root: string, place: OutlinePlace, record: TreeNode): boolean {
    const text = outlineText(root, record);
    return text !== undefined && this.#textAt(place) === text;
  }

  /** The job is gone, or has another outline: nothing of this one stays on the disk. */
  erase(root: string, [at, size]: OutlinePlace): void {
    const number = segmentOf(at);
    const segment = this.#segments.get(number);
    if (segment === undefined) return;
    segment.live -= size;
    if (this.#removeIfDead(number) || !isOf(root, this.#textAt([at, size]))) return;
    this.#tryTo(() => {
      const blank = Buffer.alloc(size - 1, ' ');
      const offset = at % SEGMENT_SPAN;
      writeSync(this.#opened(number), blank, 0, blank.length, offset);
      // It was read just now. Many are erased one behind the other: the block is not read again for each.
      const { from, bytes } = this.#blockAt(number, offset);
      blank.copy(bytes, offset - from);
    });
  }

  close(): void {
    this.#late.flush();
    for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
    this.#block = undefined;
    this.#end = SEGMENT_BYTES;
  }

  #begin(): void {
    this.#late.flush();
    const before = this.#newest;
    this.#newest += 1;
    this.#end = 0;
    this.#segments.set(this.#newest, { bytes: 0, live: 0 });
    this.#removeIfDead(before);
  }

  /** Removes a file that nothing more comes to, when it has little that is asked for; says whether it did. */
  #removeIfDead(number: number): boolean {
    const segment = this.#segments.get(number);
    const isAddedTo = number === this.#newest && this.#end < SEGMENT_BYTES;
    if (segment === undefined || isAddedTo || segment.live > segment.bytes * LEAST_SHARE) {
      return false;
    }
    this.#tryTo(() => {
      requireHeld(this.#folder);
      rmSync(this.#fileOf(number), { force: true });
      this.#segments.delete(number);
      this.#forgetBlock(number);
      const fd = this.#fds.get(number);
      this.#fds.delete(number);
      if (fd !== undefined) closeSync(fd);
    });
    return true;
  }

  #textAt([at, size]: OutlinePlace): string {
    const number = segmentOf(at);
    if (number === this.#newest) this.#late.flush();
    if (!this.#segments.has(number) || size > MOST_BYTES) return '';
    const offset = at % SEGMENT_SPAN;
    const block = this.#blockAt(number, offset);
    return block.bytes.toString('latin1', offset - block.from, offset - block.from + size);
  }

  /** Lines that are asked for together lie beside each other as a rule: they are read at once. */
  #blockAt(number: number, offset: number): Block {
    const from = offset - (offset % BLOCK_BYTES);
    const known = this.#block;
    if (known?.number === number && known.from === from) return known;
    const room = known?.room ?? Buffer.allocUnsafeSlow(BLOCK_BYTES + MOST_BYTES);
    const read = this.#tryTo(() => readSync(this.#opened(number), room, 0, room.length, from));
    this.#block = { number, from, room, bytes: room.subarray(0, read ?? 0) };
    return this.#block;
  }

  /** Something else stands in a file now. */
  #forgetBlock(number: number): void {
    if (this.#block?.number === number) this.#block = { ...this.#block, number: NONE };
  }

  /** Writes what has come together behind what is there. */
  #write(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#tryTo(() => {
      const at = this.#end - bytes.length;
      writeSync(this.#opened(this.#newest), bytes, 0, bytes.length, at);
    });
    this.#forgetBlock(this.#newest);
  }

  #opened(number: number): number {
    const known = this.#fds.get(number);
    if (known !== undefined) return known;
    if (this.#fds.size >= MOST_OPEN) this.#closeOne();
    const isNew = number === this.#newest && this.#end < SEGMENT_BYTES;
    requireHeld(this.#folder);
    if (isNew) makeFolder(this.#folder, PRIVATE.folder);
    const fd = openSync(this.#fileOf(number), isNew ? TO_MAKE : TO_READ, PRIVATE.file);
    this.#fds.set(number, fd);
    return fd;
  }

  #closeOne(): void {
    for (const [number, fd] of this.#fds) {
      if (number === this.#newest) continue;
      this.#fds.delete(number);
      closeSync(fd);
      return;
    }
  }

  #fileOf(number: number): string {
    return join(this.#folder, `${String(number).padStart(10, '0')}.jsonl`);
  }

  /** Does what may fail: a disk that refuses it costs the reading of records some time, and nothing else. */
  #tryTo<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!this.#hasComplained) {
        this.#hasComplained = true;
        this.#log.warn('outlines of jobs cannot be kept', { reason: messageOf(error) });
      }
      return undefined;
    }
  }
}
