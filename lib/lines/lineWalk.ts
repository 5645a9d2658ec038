import type { OutputBytes } from './outputBytes.ts';
import type { Arrival } from './outputOrder.ts';

/** A place between two lines, from which a walk can go on. */
export interface WalkPlace {
  /** The number of the arrival, and the place in its output. */
  readonly arrival: number;
  readonly offset: number;
  /** The outputs that are in the middle of a line there. */
  readonly open: readonly number[];
}

export interface LineVisitor {
  /** A line begins: of this output, there. */
  begin(source: number, offset: number, seenAt: number): void;
  /** The line that was begun last of this output has its newline there. */
  end(source: number, offset: number): void;
}

const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 10;

/**
 * Goes through outputs in the order in which they came in, and finds where lines begin and end. A line is of one output,
 * and has its place where its first byte came in.
 */
export class LineWalk {
  readonly #open: Set<number>;
  #arrival: number;
  /** undefined: where its arrival begins. */
  #offset: number | undefined;
  /** How many bytes were gone through before what it is at now. */
  bytes = 0;

  constructor(from?: WalkPlace) {
    this.#arrival = from?.arrival ?? 0;
    this.#offset = from?.offset;
    this.#open = new Set(from?.open);
  }

  /** In `begin`: the place before that line, whose offset is known there. */
  place(offset: number): WalkPlace {
    return { arrival: this.#arrival, offset, open: [...this.#open] };
  }

  /**
   * Goes on to the end, or until it has had enough, which is asked now and then.
   * @returns whether it is at the end
   */
  go(
    arrivals: readonly Arrival[],
    outputs: readonly OutputBytes[],
    visitor: LineVisitor,
    isEnough: () => boolean,
  ): boolean {
    for (;;) {
      const arrival = arrivals[this.#arrival];
      if (arrival === undefined) return true;
      this.#offset ??= arrival.from;
      while (this.#offset < arrival.to) {
        if (isEnough()) return false;
        const end = Math.min(arrival.to, this.#offset + BLOCK_BYTES);
        const block = outputs[arrival.source]?.slice(this.#offset, end);
        // It was removed meanwhile.
        if (block === undefined || block.length === 0) return true;
        this.#visit(arrival, block, this.#offset, visitor);
        this.bytes += block.length;
        this.#offset += block.length;
      }
      this.#arrival += 1;
      this.#offset = undefined;
    }
  }

  #visit({ source, seenAt }: Arrival, block: Buffer, offset: number, visitor: LineVisitor): void {
    let isOpen = this.#open.delete(source);
    for (let at = 0; at < block.length; ) {
      if (!isOpen) visitor.begin(source, offset + at, seenAt);
      const newline = block.indexOf(NEWLINE, at);
      isOpen = newline < 0;
      if (isOpen) break;
      visitor.end(source, offset + newline);
      at = newline + 1;
    }
    if (isOpen) this.#open.add(source);
  }
}
