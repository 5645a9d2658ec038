import type { LoggedEvent } from './event.ts';

/** How many are remembered: readers that have fallen behind together are at most so far from each other, to share them. */
const REMEMBERED = 16;

/**
 * Batches that were read from the disk last. Many readers that are behind want the same ones: each is read and parsed once,
 * and the same array is given to all, who can also share what they make of it.
 */
export class ReadBatches {
  /** The one that was asked for last stands last. */
  readonly #batches: (readonly LoggedEvent[])[] = [];

  /**
   * The events behind a number, from a batch that is remembered, or else from `read`. One that ends with the newest event is
   * not remembered: there may be more the next time.
   */
  after(seq: number, newest: number, read: () => readonly LoggedEvent[]): readonly LoggedEvent[] {
    const at = this.#batches.findLastIndex((batch) => holds(batch, seq + 1));
    const [known] = at < 0 ? [] : this.#batches.splice(at, 1);
    const batch = known ?? read();
    if ((batch.at(-1)?.event.seq ?? newest) >= newest) return batch;
    this.#batches.push(batch);
    if (this.#batches.length > REMEMBERED) this.#batches.shift();
    return batch[0]?.event.seq === seq + 1
      ? batch
      : batch.slice(batch.findIndex(({ event }) => event.seq > seq));
  }
}

function holds(batch: readonly LoggedEvent[], seq: number): boolean {
  const [first, last] = [batch[0], batch.at(-1)];
  return (
    first !== undefined && last !== undefined && first.event.seq <= seq && seq <= last.event.seq
  );
}
