import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemErrorCode } from '../errors.ts';
import { syncFolder } from './atomicFile.ts';
import { makeFolder } from './folders.ts';
import { requireHeld } from './heldFolders.ts';
import { PRIVATE } from './rights.ts';

const flushFile = promisify(fdatasync);
const NEWLINE = 0x0a;
/** How long a file is taken to be where it was seen, in milliseconds: many lines come together. */
const LOOK_MS = 10;

/**
 * A file that whole lines are added to, for the user of this process alone. It stays open in between: making a file costs
 * much more than adding to one.
 */
export class LineFile {
  readonly path: string;
  readonly #fsync: boolean;
  #fd: number | undefined;
  #bytes = 0;
  /** When it was last seen to be where it belongs, on the clock of `performance.now()`. */
  #seenAt = 0;
  /** Whether the last line has no end: a crash of the machine has cut it. */
  #isCut = false;
  /** The flush that is under way, and the one that begins behind it. */
  #flushing: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;

  /** @param fsync whether the disk has to confirm that the file is there, once it is made */
  constructor(path: string, fsync: boolean) {
    this.path = path;
    this.#fsync = fsync;
  }

  /** How long it is; 0 as long as nothing was added by this process. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a line by one write(2), which a kill of the process does not cut. The file is made where it is missing, also when
   * somebody has removed it meanwhile.
   * @throws the file system's error; nothing of the line is there then
   */
  add(line: string): void {
    const fd = this.#open();
    const bytes = Buffer.from(this.#isCut ? `\n${line}\n` : `${line}\n`);
    const written = writeSync(fd, bytes);
    if (written < bytes.length) {
      // A disk that fills up takes a part of it: nothing may come behind half a line.
      ftruncateSync(fd, this.#bytes);
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    }
    this.#isCut = false;
    this.#bytes += written;
  }

  /**
   * Resolves when the disk has confirmed what was added by now. All who ask while a flush is under way share the next one.
   * @throws the file system's error
   */
  flushed(): Promise<void> {
    if (this.#nextFlush !== undefined) return this.#nextFlush;
    try {
      this.#nextFlush = this.#flushBehind(this.#open(), this.#flushing);
      return this.#nextFlush;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Has the disk confirm what was added, and keeps the process waiting. */
  flushNow(): void {
    fdatasyncSync(this.#open());
  }

  /** Takes away all that it holds. */
  clear(): void {
    ftruncateSync(this.#open(), 0);
    this.#bytes = 0;
  }

  /** Lets go of the file; what is added later opens it again. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    const flush = this.#nextFlush ?? this.#flushing;
    if (flush === undefined) closeSync(fd);
    else flush.catch(() => undefined).finally(() => closeSync(fd));
  }

  /** Closes and removes it. */
  remove(): void {
    this.close();
    requireHeld(this.path);
    rmSync(this.path, { force: true });
  }

  async #flushBehind(fd: number, earlier: Promise<void> | undefined): Promise<void> {
    await earlier?.catch(() => undefined);
    this.#flushing = this.#nextFlush;
    this.#nextFlush = undefined;
    try {
      await flushFile(fd);
    } finally {
      if (this.#nextFlush === undefined) this.#flushing = undefined;
    }
  }

  #open(): number {
    const now = performance.now();
    if (this.#fd !== undefined) {
      if (now - this.#seenAt < LOOK_MS) return this.#fd;
      this.#seenAt = now;
      if (fstatSync(this.#fd).nlink > 0) return this.#fd;
      // Somebody has cleared it away while the server ran.
      this.close();
    }
    const fd = this.#openFile();
    const { size } = fstatSync(fd);
    this.#fd = fd;
    this.#seenAt = now;
    this.#bytes = size;
    const last = Buffer.alloc(1);
    this.#isCut = size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
    if (size === 0 && this.#fsync) {
      syncFolder(dirname(this.path));
      syncFolder(dirname(dirname(this.path)));
    }
    return fd;
  }

  #openFile(): number {
    requireHeld(this.path);
    try {
      return openSync(this.path, 'a+', PRIVATE.file);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      makeFolder(dirname(this.path), PRIVATE.folder);
      return openSync(this.path, 'a+', PRIVATE.file);
    }
  }
}
