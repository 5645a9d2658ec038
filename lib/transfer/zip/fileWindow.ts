import { readSync } from 'node:fs';

const WINDOW_BYTES = 256 * 1024;

/** Reads a file through a window: the list at the end of an archive is thousands of tiny reads. */
export class FileWindow {
  readonly #fd: number;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #start = 0;
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Up to `length` bytes from `position`; a view that the next call may overwrite. */
  peek(position: number, length: number): Buffer {
    if (length > WINDOW_BYTES) {
      const large = Buffer.alloc(length);
      return large.subarray(0, readSync(this.#fd, large, 0, length, position));
    }
    if (position < this.#start || position + length > this.#start + this.#length) {
      this.#start = position;
      this.#length = readSync(this.#fd, this.#window, 0, WINDOW_BYTES, position);
    }
    const from = position - this.#start;
    return this.#window.subarray(from, Math.min(from + length, this.#length));
  }
}
