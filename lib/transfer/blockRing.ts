interface Block {
  readonly bytes: Buffer;
  readonly ring: Block[];
  /** How much of it has been filled. */
  used: number;
  /** How many pieces of it have not been given back. */
  held: number;
}

const BLOCK_BYTES = 512 * 1024;
/** A block with less room than this is not filled any further. */
const LEAST_ROOM = 64 * 1024;
/** How many are kept to be used again. */
const MOST_FREE = 8;

const origins = new WeakMap<Uint8Array, Block>();

/**
 * Memory that a long answer is read into: blocks, filled one after the other. New memory for each piece is garbage by
 * the gigabyte, and collecting it costs more than reading. So whoever is the last to need a piece may give it back
 * (`giveBack`), and its block is used again when all of its pieces were. What nobody gives back is garbage as ever.
 */
export class BlockRing {
  readonly #free: Block[] = [];
  #current = this.#newBlock();
  #room = this.#current.bytes;

  /** Where the next bytes go. */
  get room(): Buffer {
    return this.#room;
  }

  /** A part of what has come into the room. */
  piece(from: number, to: number): Buffer {
    const piece = this.#room.subarray(from, to);
    this.#current.held += 1;
    origins.set(piece, this.#current);
    return piece;
  }

  /** So many bytes have come into the room, and the pieces that are needed have been taken: there is another room now. */
  filled(bytes: number): void {
    const full = this.#current;
    full.used += bytes;
    if (full.held === 0) full.used = 0;
    else if (full.bytes.length - full.used < LEAST_ROOM) {
      this.#current = this.#free.pop() ?? this.#newBlock();
      this.#current.used = 0;
    }
    this.#room = this.#current.bytes.subarray(this.#current.used);
  }

  #newBlock(): Block {
    return { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), ring: this.#free, used: 0, held: 0 };
  }
}

/** Nobody needs these bytes any more. False when they are of no ring, or were given back before: nothing happens then. */
export function giveBack(piece: Uint8Array): boolean {
  const block = origins.get(piece);
  if (block === undefined) return false;
  origins.delete(piece);
  block.held -= 1;
  // The block that is being filled finds out by itself.
  const isFull = block.bytes.length - block.used < LEAST_ROOM;
  if (block.held === 0 && isFull && block.ring.length < MOST_FREE) block.ring.push(block);
  return true;
}
