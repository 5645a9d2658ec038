import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import type { OutputPlace } from '../jobs/outputPieces.ts';

const WINDOW_BYTES = 64 * 1024;

/** The bytes of one output, to be read at any place. A file that is not there has none. */
export class OutputBytes {
  readonly #place: OutputPlace;
  #file: number | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #window: Buffer = this.#buffer;
  #windowAt = 0;

  constructor(place: OutputPlace) {
    this.#place = place;
  }

  /** How many there are now. */
  get size(): number {
    if ('text' in this.#place) return this.#place.text.length;
    const file = this.#open();
    return file === undefined ? 0 : fstatSync(file).size;
  }

  /** Reads as much as the buffer takes, or less at the end; says how much. */
  read(into: Buffer, from: number, length: number): number {
    if ('text' in this.#place) {
      const piece = this.#place.text.subarray(from, from + length);
      into.set(piece);
      return piece.length;
    }
    const file = this.#open();
    return file === undefined ? 0 : readSync(file, into, 0, length, from);
  }

  /** The bytes `from` to before `to`, or less at the end; valid until the next call. */
  slice(from: number, to: number): Buffer {
    const end = this.#windowAt + this.#window.length;
    if (from < this.#windowAt || to > end) {
      const length = Math.max(WINDOW_BYTES, to - from);
      if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length);
      this.#window = this.#buffer.subarray(0, this.read(this.#buffer, from, length));
      this.#windowAt = from;
    }
    return this.#window.subarray(from - this.#windowAt, to - this.#windowAt);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#window = this.#window.subarray(0, 0);
  }

  #open(): number | undefined {
    if (this.#file !== undefined || 'text' in this.#place) return this.#file;
    try {
      this.#file = openSync(this.#place.file, 'r');
    } catch (error) {
      // Made with its first byte, and removed with its job.
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
    return this.#file;
  }
}
