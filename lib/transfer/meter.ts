import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** A stream that passes everything on, counts it and takes its SHA-256. */
export interface Meter extends Transform {
  readonly bytes: number;
  /** Hexadecimal; to be asked once, when the stream has ended. */
  digest(): string;
}

/** A meter; `onBytes` hears of every chunk. */
export function meter(onBytes: (bytes: number) => void = () => {}): Meter {
  return new MeterStream(onBytes);
}

class MeterStream extends Transform implements Meter {
  readonly #hash = createHash('sha256');
  readonly #onBytes: (bytes: number) => void;
  bytes = 0;

  constructor(onBytes: (bytes: number) => void) {
    super({ highWaterMark: 256 * 1024 });
    this.#onBytes = onBytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (e: null, c: Buffer) => void,
  ) {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    this.#onBytes(chunk.length);
    done(null, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
