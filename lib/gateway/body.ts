/** Bytes of bodies that are held at once. */
export interface BodyBudget {
  heldBytes: number;
}

const FIRST_BYTES = 64 * 1024;
/** A body that has come so far gets all the room that its length says: memory is taken up as it is written to, not before. */
const TRUSTED_BYTES = 1024 * 1024;

/**
 * A body as it comes in. One chunk is kept as it is; more are copied into one buffer that grows by
 * doubling, so that neither the number nor the size of the chunks matters: a body sent a byte at a
 * time costs its length, not a buffer object for each byte.
 */
export class BodyCollector {
  readonly #expectedBytes: number | undefined;
  readonly #budget: BodyBudget;
  #released = false;
  #first: Buffer | undefined;
  #store: Buffer | undefined;
  #length = 0;

  /** `expectedBytes`: the Content-Length, when there is one; it must already be known to be acceptable. */
  constructor(expectedBytes: number | undefined, budget: BodyBudget) {
    this.#expectedBytes = expectedBytes;
    this.#budget = budget;
  }

  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    if (this.#length === 0) this.#first = chunk;
    else this.#append(chunk);
    this.#length += chunk.length;
    if (!this.#released) this.#budget.heldBytes += chunk.length;
  }

  /** The body is needed no longer: it counts no more, and is not kept here. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#budget.heldBytes -= this.#length;
    this.#first = undefined;
    this.#store = undefined;
  }

  take(): Buffer {
    return this.#store?.subarray(0, this.#length) ?? this.#first ?? Buffer.alloc(0);
  }

  #append(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    let store = this.#store;
    if (store === undefined || store.length < needed) {
      const larger = Buffer.allocUnsafeSlow(this.#room(needed, store?.length ?? 0));
      (store ?? this.#first)?.copy(larger, 0, 0, this.#length);
      this.#first = undefined;
      store = larger;
      this.#store = larger;
    }
    chunk.copy(store, this.#length);
  }

  #room(needed: number, present: number): number {
    const doubled = Math.max(FIRST_BYTES, needed, present * 2);
    if (this.#expectedBytes === undefined) return doubled;
    const wanted = needed > TRUSTED_BYTES ? this.#expectedBytes : doubled;
    return Math.max(needed, Math.min(wanted, this.#expectedBytes));
  }
}
