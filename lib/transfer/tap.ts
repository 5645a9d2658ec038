import { Transform } from 'node:stream';
import type { Digester } from './contentCheck.ts';

export interface TapOptions {
  /** Takes in everything that comes, what is left out too. */
  readonly digester?: Digester | undefined;
  /** How many bytes at the start are not passed on. */
  readonly skip?: number;
  /** Hears of what is passed on. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** A stream that looks at what passes: it counts, adds to a checksum, and can leave out a beginning. */
export class Tap extends Transform {
  readonly #digester: Digester | undefined;
  readonly #onBytes: ((bytes: number) => void) | undefined;
  #skip: number;
  #bytes = 0;

  constructor({ digester, skip = 0, onBytes }: TapOptions = {}) {
    super({ highWaterMark: 1024 * 1024 });
    this.#digester = digester;
    this.#skip = skip;
    this.#onBytes = onBytes;
  }

  /** All that came, what was left out too. */
  get bytes(): number {
    return this.#bytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: null, chunk?: Buffer) => void,
  ) {
    this.#bytes += chunk.length;
    this.#digester?.update(chunk);
    const left = Math.min(this.#skip, chunk.length);
    this.#skip -= left;
    if (left === chunk.length) return done(null);
    this.#onBytes?.(chunk.length - left);
    done(null, left === 0 ? chunk : chunk.subarray(left));
  }
}
