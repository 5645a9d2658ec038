import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { PmanError } from '../../errors.ts';
import type { HeldTree } from '../heldTree.ts';
import type { StagedFile } from '../stagedTree.ts';

const readAsync = promisify(read);
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const READ_BYTES = 256 * 1024;

/** A file that is made from the one that is in its place. To be closed. */
export class PatchedFile implements StagedFile {
  /** How many bytes the one in its place has. */
  readonly oldBytes: number;
  readonly #name: string;
  readonly #file: StagedFile;
  readonly #old: number;
  readonly #sum = createHash('sha256');

  /**
   * @param place the folder that the old file lies in
   * @throws PmanError `conflict` when there is none
   */
  constructor(name: string, place: HeldTree, file: () => StagedFile) {
    this.#name = name;
    try {
      this.#old = openSync(place.way(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (cause) {
      throw changed(name, cause);
    }
    try {
      const stats = fstatSync(this.#old);
      if (!stats.isFile()) throw changed(name);
      this.oldBytes = stats.size;
      this.#file = file();
    } catch (error) {
      closeSync(this.#old);
      throw error;
    }
  }

  async write(content: Buffer): Promise<void> {
    this.#sum.update(content);
    await this.#file.write(content);
  }

  /** @throws PmanError `conflict` when the old file does not go as far */
  requireOld(from: number, bytes: number): void {
    if (from + bytes > this.oldBytes) throw changed(this.#name);
  }

  /** Writes bytes of the old file. @throws PmanError `conflict` when it has become shorter */
  async copy(from: number, bytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, bytes));
    for (let done = 0; done < bytes; ) {
      const most = Math.min(buffer.length, bytes - done);
      const { bytesRead } = await readAsync(this.#old, buffer, 0, most, from + done);
      if (bytesRead === 0) throw changed(this.#name);
      await this.write(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
  }

  /** @throws PmanError `conflict` when what was made is not what was meant: the old file has changed meanwhile */
  check(sum: Buffer): void {
    if (!this.#sum.digest().equals(sum)) throw changed(this.#name);
  }

  dress(): void {
    this.#file.dress();
  }

  close(): void {
    closeSync(this.#old);
    this.#file.close();
  }
}

function changed(name: string, cause?: unknown): PmanError {
  return new PmanError('conflict', `${name} is not what it was when its chunks were told`, {
    cause,
    hint: 'send all of it',
  });
}
