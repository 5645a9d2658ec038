import type { Writable } from 'node:stream';
import type { Digester } from './contentCheck.ts';
import { SteadyFile } from './steadyFile.ts';
import type { TreeEntry } from './tree.ts';

export interface PumpOptions {
  /** Takes in the whole file, what is left out too. */
  readonly digester: Digester;
  /** How many bytes at the start are not sent. */
  readonly skip: number;
  readonly onBytes: ((bytes: number) => void) | undefined;
}

const BUFFERS = 4;
const BUFFER_BYTES = 256 * 1024;

/**
 * Sends a file into a stream, which stays open, through a few buffers that are used again and again: a
 * new one for each read is megabytes of garbage a millisecond, and collecting it took longer than
 * sending. Resolves to the number of bytes of the file.
 * @throws SourceError when the file cannot be read, is not what the walk found or changes; what the stream fails with
 */
export async function pumpFile(
  entry: TreeEntry,
  out: Writable,
  { digester, skip, onBytes }: PumpOptions,
): Promise<number> {
  const buffers = new BufferRing(out);
  const file = new SteadyFile(entry);
  let at = 0;
  try {
    file.checkAsFound(entry);
    for (let coming = readInto(file, buffers, 0); ; ) {
      const { buffer, bytes } = await coming;
      if (bytes === 0) break;
      at += bytes;
      coming = readInto(file, buffers, at);
      // Waited for above; until then a failure is nobody's.
      coming.catch(() => {});
      const whole = buffer.subarray(0, bytes);
      digester.update(whole);
      const left = Math.min(bytes, Math.max(0, skip - (at - bytes)));
      if (left === bytes) buffers.give(buffer);
      else buffers.send(whole.subarray(left), buffer);
      onBytes?.(bytes - left);
    }
    file.checkUnchanged();
    await buffers.allSent();
    return at;
  } finally {
    buffers.close();
    await file.close();
  }
}

async function readInto(file: SteadyFile, buffers: BufferRing, at: number) {
  const buffer = await buffers.take();
  return { buffer, bytes: await file.read(buffer, at) };
}

/** Buffers that come back when what was in them has been handed to the system. */
class BufferRing {
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

  /** Waits until nothing is on its way; the last buffer taken need not have come back. */
  async allSent(): Promise<void> {
    while (this.#free.length < this.#made - 1) {
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
