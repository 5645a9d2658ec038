import { type BigIntStats, closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { ENTRY_FLAGS, openEntry } from './openEntry.ts';
import { wayOfHandle } from './openFolder.ts';
import { changedError, sourceError } from './sourceError.ts';
import type { TreeEntry } from './tree.ts';

const readAsync = promisify(read);

/**
 * A file of a tree, open to be sent, which says when it changed meanwhile: what was read before and after a change
 * belongs to no file that ever was. It is compared by size and time, before and after; a file that another one
 * replaces (`rename`) is read to its own end. Sizes may lie (`/proc` and some FUSE file systems say 0): a file ends
 * where reading ends.
 */
export class SteadyFile {
  readonly path: string;
  readonly #fd: number;
  readonly #before: BigIntStats;
  #reading: Promise<unknown> = Promise.resolve();

  /** @throws SourceError when it cannot be opened */
  constructor(entry: TreeEntry) {
    const { fd, stats } = openEntry(entry);
    this.path = entry.path;
    this.#fd = fd;
    this.#before = stats;
  }

  /** Bytes as the system stated them when it was opened. */
  get size(): number {
    return Number(this.#before.size);
  }

  /** How the system finds the very file that is open. */
  get way(): string {
    return wayOfHandle(this.#fd, this.path);
  }

  get mode(): number {
    return Number(this.#before.mode & 0o7777n);
  }

  get mtimeNs(): bigint {
    return this.#before.mtimeNs;
  }

  /** How many bytes from `at` on were put into the buffer; 0 at the end. @throws SourceError */
  async read(buffer: Buffer, at: number): Promise<number> {
    return this.#checked(await this.readAnyway(buffer, at), at);
  }

  /** As `read`, whether it has changed or not. @throws SourceError */
  async readAnyway(buffer: Buffer, at: number): Promise<number> {
    const reading = readAsync(this.#fd, buffer, 0, buffer.length, at);
    this.#reading = reading;
    try {
      return (await reading).bytesRead;
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** As `read`, at once. @throws SourceError */
  readSync(buffer: Buffer, at: number): number {
    try {
      return this.#checked(readSync(this.#fd, buffer, 0, buffer.length, at), at);
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  #failure(cause: unknown): unknown {
    const isOfSystem = typeof cause === 'object' && cause !== null && 'syscall' in cause;
    return isOfSystem ? sourceError(this.path, 'read', cause) : cause;
  }

  /** A file that grows as fast as it is read would have no end. */
  #checked(bytes: number, at: number): number {
    if (at + bytes > this.size) this.checkUnchanged();
    return bytes;
  }

  /** @throws SourceError when it is not what the walk found */
  checkAsFound({ dev, ino, size, mtimeNs }: TreeEntry): void {
    const now = this.#before;
    if (now.dev !== dev || now.ino !== ino) throw changedError(this.path, 'was replaced');
    if (this.size !== size || now.mtimeNs !== mtimeNs) throw changedError(this.path, 'changed');
  }

  /** To be called when all was read. @throws SourceError when it is no longer what it was when it was opened */
  checkUnchanged(): void {
    const { size, mtimeNs } = fstatSync(this.#fd, { bigint: true });
    const before = this.#before;
    if (size < before.size) throw changedError(this.path, 'shrank');
    if (size > before.size) throw changedError(this.path, 'grew');
    if (mtimeNs !== before.mtimeNs) throw changedError(this.path, 'changed');
  }

  /** When nothing is read any more. */
  closeSync(): void {
    closeSync(this.#fd);
  }

  /** Waits for the read under way: the system may give its number to another file. */
  async close(): Promise<void> {
    await this.#reading.catch(() => {});
    closeSync(this.#fd);
  }
}

/** The content of a file in pieces. @throws SourceError also when it changes meanwhile */
export async function* contentOf(file: SteadyFile, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    const bytes = await file.read(piece, at);
    if (bytes === 0) break;
    at += bytes;
    yield piece.subarray(0, bytes);
  }
  file.checkUnchanged();
}

/**
 * The content of a file when it has at most `most` bytes, else undefined. `most` counts what is read: the file may
 * say another size.
 * @throws SourceError also when it changes meanwhile
 */
export function smallContent(file: SteadyFile, most: number): Buffer | undefined {
  // One byte more than it says: a read that leaves that one out has come to the end.
  let buffer = Buffer.allocUnsafe(Math.min(file.size, most) + 1);
  let bytes = 0;
  for (;;) {
    const read = file.readSync(buffer.subarray(bytes), bytes);
    bytes += read;
    if (bytes > most) return undefined;
    if (read === 0 || bytes === file.size) break;
    if (bytes === buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(4096, 4 * bytes), most + 1));
      buffer.copy(larger);
      buffer = larger;
    }
  }
  file.checkUnchanged();
  return buffer.subarray(0, bytes);
}

/**
 * Reads a small file in as few calls as can be: true when it is what the walk has found, and was that until it had been
 * read. Otherwise, also when it cannot be opened or its size is wrong, a `SteadyFile` tells more.
 * @param into one byte more than the file has
 */
export function readAsFound(entry: TreeEntry, into: Buffer): boolean {
  let fd: number;
  try {
    fd = openSync(entry.path, ENTRY_FLAGS);
  } catch {
    return false;
  }
  try {
    const bytes = readSync(fd, into, 0, into.length, null);
    const { dev, ino, size, mode, mtimeNs } = fstatSync(fd, { bigint: true });
    return (
      bytes === entry.size &&
      Number(size) === bytes &&
      ino === entry.ino &&
      dev === entry.dev &&
      mtimeNs === entry.mtimeNs &&
      Number(mode & 0o7777n) === entry.mode
    );
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}
