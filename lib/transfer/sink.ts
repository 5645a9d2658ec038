import { write, writev } from 'node:fs';
import { Writable } from 'node:stream';
import { YoungGarbage } from '../host/youngGarbage.ts';
import { giveBack } from './blockRing.ts';
import type { Digester } from './contentCheck.ts';

export interface SinkOptions {
  /** Where in the file the first byte goes. */
  readonly start?: number;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Takes in what is written, while the disk is busy. */
  readonly digester?: Digester | undefined;
}

/** Of all that is written: memory that was made for one piece, and is of no use behind it. */
const spent = new YoungGarbage();

// While one batch is written in the thread pool this much of the next one may arrive.
const WAITING_BYTES = 2 * 1024 * 1024;

/**
 * Writes a stream to an open file, whatever has arrived meanwhile in one call, counts it and takes its
 * checksum while the disk is busy. The file stays open, also when the stream fails: Node's own stream
 * would close the number of a file that is somebody else's.
 */
export class FileSink extends Writable {
  readonly #fd: number;
  readonly #start: number;
  readonly #onBytes: ((bytes: number) => void) | undefined;
  readonly #digester: Digester | undefined;
  #bytes = 0;
  #writing = false;
  #onSettled: () => void = () => {};

  constructor(fd: number, { start = 0, onBytes, digester }: SinkOptions = {}) {
    super({ highWaterMark: WAITING_BYTES, decodeStrings: true });
    this.#fd = fd;
    this.#start = start;
    this.#onBytes = onBytes;
    this.#digester = digester;
  }

  /** What was written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Waits for the write under way, if there is one: before that the file must not be closed. */
  async settled(): Promise<void> {
    if (!this.#writing) return;
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#put([chunk], chunk.length, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ) {
    const buffers = chunks.map(({ chunk }) => chunk);
    const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
    this.#put(buffers, bytes, done);
  }

  #put(buffers: readonly Buffer[], bytes: number, done: (error?: Error | null) => void): void {
    const at = this.#start + this.#bytes;
    const end = at + bytes;
    this.#writing = true;
    writev(this.#fd, buffers, at, (error, written) => {
      // A disk that gets full takes a part first; the rest then says why.
      if (error === null && written < bytes) this.#putRest(buffers, written, end, done);
      else {
        for (const buffer of buffers) if (!giveBack(buffer)) spent.passed(buffer.length);
        this.#settle(error, done);
      }
    });
    if (this.#digester !== undefined) for (const buffer of buffers) this.#digester.update(buffer);
    this.#bytes += bytes;
    this.#onBytes?.(bytes);
  }

  #putRest(
    buffers: readonly Buffer[],
    skip: number,
    end: number,
    done: (error?: Error | null) => void,
  ): void {
    const rest = Buffer.concat(buffers).subarray(skip);
    if (rest.length === 0) {
      this.#settle(null, done);
      return;
    }
    write(this.#fd, rest, 0, rest.length, end - rest.length, (error, written) => {
      if (error === null) this.#putRest([rest], written, end, done);
      else this.#settle(error, done);
    });
  }

  #settle(error: Error | null, done: (error?: Error | null) => void): void {
    this.#writing = false;
    this.#onSettled();
    done(error);
  }
}
