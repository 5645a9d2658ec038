/**
 * How a pack is sent: in blocks, each as it is or deflated. A block is its length (32 bits), the length that it is sent
 * as (32 bits, little-endian), and its content; when both are the same it is sent as it is. Checksums and offsets are of
 * what is in the blocks: the same pack may be cut and deflated in another way each time.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { damagedPack } from './packFormat.ts';

export const BLOCK_HEAD_BYTES = 8;
/** The longest block that is taken. */
const MOST_BYTES = 1024 * 1024;
/** Content that deflates to more than this share is sent as it is. */
const WORTH_DEFLATING = 0.9;
/** So many blocks are not tried behind one that was not worth it. */
const UNTRIED = 7;

/** Deflates blocks, where that is worth it. */
export class BlockPacker {
  #untried = 0;

  /** The content deflated; undefined when it is better sent as it is. */
  pack(content: Buffer): Buffer | undefined {
    if (this.#untried > 0) {
      this.#untried -= 1;
      return undefined;
    }
    const packed = deflateRawSync(content, { level: 1, chunkSize: content.length + 64 });
    if (packed.length < content.length * WORTH_DEFLATING) return packed;
    this.#untried = UNTRIED;
    return undefined;
  }
}

export function writeBlockHead(bytes: number, packedBytes: number, to: Buffer, at: number): void {
  to.writeUInt32LE(bytes, at);
  to.writeUInt32LE(packedBytes, at + 4);
}

const NOTHING = Buffer.alloc(0);

/** Takes blocks apart as they come, in whatever pieces. */
export class BlockReader {
  /** The head that has begun, or the content of a deflated block. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #bytes = 0;
  #packedBytes = 0;
  /** How much of the block has not come. */
  #left = 0;

  /** What is in the blocks, as far as it has come. What is sent as it is is not copied. @throws BadRequestError */
  *contentOf(chunk: Buffer): Generator<Buffer> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left === 0) {
        rest = this.#head(rest);
        continue;
      }
      const piece = rest.subarray(0, this.#left);
      rest = rest.subarray(piece.length);
      this.#left -= piece.length;
      if (this.#packedBytes === this.#bytes) {
        yield piece;
        continue;
      }
      const packed = this.#hold(piece, this.#left === 0);
      if (packed !== undefined) yield this.#inflated(packed);
    }
  }

  /** To be called when nothing more comes. @throws BadRequestError when a block has not come as a whole */
  finish(): void {
    if (this.#left > 0 || this.#heldBytes > 0) throw damagedPack('its last block is cut off');
  }

  #head(from: Buffer): Buffer {
    const part = from.subarray(0, BLOCK_HEAD_BYTES - this.#heldBytes);
    const head = this.#hold(part, this.#heldBytes + part.length === BLOCK_HEAD_BYTES);
    if (head === undefined) return NOTHING;
    this.#bytes = head.readUInt32LE(0);
    this.#packedBytes = head.readUInt32LE(4);
    if (this.#bytes === 0 || this.#bytes > MOST_BYTES || this.#packedBytes > this.#bytes)
      throw damagedPack('a block has a length that cannot be');
    if (this.#packedBytes === 0) throw damagedPack('a block has nothing in it');
    this.#left = this.#packedBytes;
    return from.subarray(part.length);
  }

  /** Keeps a part, and gives back all of it when this was the last one. The memory of a part is somebody else's. */
  #hold(part: Buffer, isLast: boolean): Buffer | undefined {
    if (isLast && this.#heldBytes === 0) return part;
    this.#held.push(isLast ? part : Buffer.from(part));
    this.#heldBytes += part.length;
    if (!isLast) return undefined;
    const whole = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
  }

  #inflated(packed: Buffer): Buffer {
    let content: Buffer;
    try {
      content = inflateRawSync(packed, {
        chunkSize: this.#bytes + 64,
        maxOutputLength: this.#bytes,
      });
    } catch {
      throw damagedPack('a block cannot be unpacked');
    }
    if (content.length !== this.#bytes)
      throw damagedPack('a block has another length than it says');
    return content;
  }
}
