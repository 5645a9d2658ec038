import type { Writable } from 'node:stream';

const BUFFERS = 4;
/** The size of each. */
export const BUFFER_BYTES = 256 * 1024;

/** Buffers for what goes into a stream, which come back when what was in them has been handed to the system. */
export class BufferRing {
  readonly #out: Writable;
  readonly #free: Buffer[] = [];
  #made = 0;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(out: Writable) {
    this.#out = out;
    out.on('close', this.#onClose);
    out.on('error', this.#onError);
  }

  async take(): Promise<Buffer> {
    for (;;) {
      this.#check();
      const buffer = this.#free.pop();
      if (buffer !== undefined) return buffer;
      if (this.#made < BUFFERS) {
        this.#made += 1;
        return Buffer.allocUnsafeSlow(BUFFER_BYTES);
      }
      await this.#change();
    }
  }

  give(buffer: Buffer): void {
    this.#free.push(buffer);
    this.#wake();
  }

  send(content: Buffer, buffer: Buffer): void {
    this.#out.write(content, (error) => {
      if (error) this.#onError(error);
      else this.give(buffer);
    });
  }

  /** Waits until nothing is on its way, but for so many buffers that were taken and need not come back. */
  async allSent(kept: number): Promise<void> {
    while (this.#free.length < this.#made - kept) {
      this.#check();
      await this.#change();
    }
  }

  close(): void {
    this.#out.off('close', this.#onClose);
    this.#out.off('error', this.#onError);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#out.destroyed) throw new ClosedError();
  }

  readonly #onClose = () => this.#onError(new ClosedError());

  readonly #onError = (error: Error) => {
    this.#failure ??= error;
    this.#wake();
  };
}

/** As Node's own `pipeline` calls it. */
class ClosedError extends Error {
  readonly code = 'ERR_STREAM_PREMATURE_CLOSE';

  constructor() {
    super('the connection was closed before everything was sent');
  }
}
