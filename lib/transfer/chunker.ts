import { createHash, type Hash } from 'node:crypto';

/** A piece of a file: how long it is, and the first 16 bytes of its SHA-256 in base64url. */
export type Chunk = readonly [bytes: number, sum: string];

/** Shorter chunks would be more to tell than they spare. */
const LEAST_BITS = 16;
const MOST_BITS = 26;
/** A file is cut into about so many chunks at most. */
const FEW_BITS = 13;
/** No chunk is shorter than a quarter of the usual length, but the last one, and none is longer than four times it. */
const SPREAD = 4;
const SUM_BYTES = 16;

/** How long the chunks of a file of this size are, as the power of two: both ends have to cut in the same way. */
export function chunkBits(size: number): number {
  const wanted = Math.ceil(Math.log2(Math.max(1, size))) - FEW_BITS;
  return Math.min(MOST_BITS, Math.max(LEAST_BITS, wanted));
}

/** Whether chunks of this length are cut here. */
export const isChunkBits = (bits: number) => bits >= LEAST_BITS && bits <= MOST_BITS;

/**
 * Cuts content into chunks at places that depend on the 32 bytes before them, and not on where they lie: what stands
 * behind bytes that were put in or taken out is cut as before ("gear" hash; W. Xia and others, FastCDC, 2016).
 */
export class Chunker {
  readonly #least: number;
  readonly #most: number;
  readonly #mask: number;
  readonly #onChunk: (chunk: Chunk) => void;
  #sum: Hash = createHash('sha256');
  #bytes = 0;
  #gear = 0;

  constructor(bits: number, onChunk: (chunk: Chunk) => void) {
    this.#least = 2 ** bits / SPREAD;
    this.#most = 2 ** bits * SPREAD;
    // The upper bits depend on the most bytes.
    this.#mask = (-1 << (32 - bits)) | 0;
    this.#onChunk = onChunk;
  }

  /** Takes what comes next. */
  take(content: Uint8Array): void {
    for (let start = 0, at = 0; ; ) {
      at += Math.min(content.length - at, Math.max(0, this.#least - this.#bytes - (at - start)));
      const room = this.#most - this.#bytes - (at - start);
      const end = Math.min(content.length, at + room);
      const cut = this.#scan(content, at, end);
      const stop = cut ?? end;
      this.#sum.update(content.subarray(start, stop));
      this.#bytes += stop - start;
      if (cut === undefined && at + room > content.length) return;
      this.#emit();
      [start, at] = [stop, stop];
      if (at === content.length) return;
    }
  }

  /** To be called when nothing more comes. */
  end(): void {
    if (this.#bytes > 0) this.#emit();
  }

  /** The place behind the first byte that a chunk ends with; undefined when there is none. */
  #scan(content: Uint8Array, from: number, to: number): number | undefined {
    let gear = this.#gear;
    const mask = this.#mask;
    for (let at = from; at < to; ) {
      gear = ((gear << 1) + (GEAR[content[at] ?? 0] ?? 0)) | 0;
      at += 1;
      if ((gear & mask) !== 0) continue;
      return at;
    }
    this.#gear = gear;
    return undefined;
  }

  #emit(): void {
    const sum = this.#sum.digest().toString('base64url', 0, SUM_BYTES);
    const bytes = this.#bytes;
    this.#sum = createHash('sha256');
    this.#bytes = 0;
    this.#gear = 0;
    this.#onChunk([bytes, sum]);
  }
}

/** A number for each byte; any will do that have no order, as long as both ends have the same (xorshift, G. Marsaglia). */
const GEAR = gearTable();

function gearTable(): Int32Array {
  let state = 0x9e3779b9 | 0;
  return Int32Array.from({ length: 256 }, () => {
    for (let round = 0; round < 4; round += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
    }
    return state;
  });
}
