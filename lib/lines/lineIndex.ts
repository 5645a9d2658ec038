import type { PartOutputs } from '../jobs/outputPieces.ts';
import { cutCharacter } from '../wire/cutCharacter.ts';
import { LineWalk, type WalkPlace } from './lineWalk.ts';
import { OutputBytes } from './outputBytes.ts';
import { OutputOrder } from './outputOrder.ts';

/** A line of an output. */
export interface IndexedLine {
  /** From 1 on, over both outputs of all parts. */
  readonly line: number;
  readonly stream: 'stdout' | 'stderr';
  readonly part: number;
  /** When its first byte was seen, in milliseconds since 1970; NaN where that is not known. */
  readonly seenAt: number;
  /** What it says, without the newline; of a long one the beginning, or what its last `\r` has begun. */
  readonly text: string;
  /** How long all of it is, in bytes. */
  readonly bytes: number;
  /** Whether there is no newline yet. */
  readonly isOpen: boolean;
}

interface Begun {
  line: number;
  readonly source: number;
  offset: number;
  seenAt: number;
}

interface Mark extends WalkPlace {
  /** The line that begins there. */
  readonly line: number;
}

/** The place of each line of this number is kept, and that of a line which begins so many bytes behind the last. */
const MARK_LINES = 1000;
const MARK_BYTES = 1024 * 1024;
const RETURN = 13;
/** Of longer lines the length is kept, in bytes. */
const LONG_BYTES = 4096;

/**
 * Where the lines of a job's outputs begin. It only grows: a line that has a number keeps it. Both outputs are numbered
 * together, in the order in which the first bytes of their lines came in.
 */
export class LineIndex {
  readonly #order = new OutputOrder();
  readonly #walk = new LineWalk();
  readonly #marks: Mark[] = [];
  readonly #longLines = new Map<number, number>();
  /** Of each output the line that has no newline yet; its number is 0 when there is none. Made once: there are many lines. */
  readonly #open: Begun[] = [];
  #markedBytes = 0;
  #outputs: OutputBytes[] = [];
  /** How many lines are known. */
  total = 0;

  /** How many bytes are known, of all outputs. */
  get bytes(): number {
    return this.#walk.bytes;
  }

  /** About how much memory it takes, in bytes. */
  get weight(): number {
    const { length } = this.#order.arrivals;
    return 1000 + length * 64 + this.#marks.length * 120 + this.#longLines.size * 40;
  }

  /** Opens the outputs, for `advance`, `read` and `openLines`; `close` has to follow. */
  open(parts: readonly PartOutputs[]): void {
    this.#outputs = parts.flatMap(({ stdout, stderr }) => [
      new OutputBytes(stdout),
      new OutputBytes(stderr),
    ]);
  }

  close(): void {
    for (const output of this.#outputs) output.close();
    this.#outputs = [];
  }

  /**
   * Takes in what has come.
   * @param isEnough asked now and then
   * @returns whether nothing is left
   */
  advance(parts: readonly PartOutputs[], now: number, isEnough: () => boolean): boolean {
    const isAll = this.#order.look(parts, now);
    const { arrivals } = this.#order;
    const isThrough = this.#walk.go(arrivals, this.#outputs, this.#visitor, isEnough);
    return isAll && isThrough;
  }

  readonly #visitor = {
    begin: (source: number, offset: number, seenAt: number) => {
      this.total += 1;
      const line = this.total;
      if (line % MARK_LINES === 1 || this.#walk.bytes - this.#markedBytes >= MARK_BYTES) {
        this.#marks.push({ line, ...this.#walk.place(offset) });
        this.#markedBytes = this.#walk.bytes;
      }
      const open = this.#open[source];
      if (open === undefined) this.#open[source] = { line, source, offset, seenAt };
      else {
        open.line = line;
        open.offset = offset;
        open.seenAt = seenAt;
      }
    },
    end: (source: number, offset: number) => {
      const begun = this.#open[source];
      if (begun === undefined) return;
      const length = offset - begun.offset;
      if (length > LONG_BYTES) this.#longLines.set(begun.line, length);
      begun.line = 0;
    },
  };

  /**
   * The lines from a number on, as many as are there and have not more bytes together; one at least.
   * @param limits the most lines, the most bytes that are told of one, and those of all of them
   */
  read(
    from: number,
    limits: { readonly count: number; readonly lineBytes: number; readonly allBytes: number },
  ): readonly IndexedLine[] {
    const count = Math.min(limits.count, this.total - from + 1);
    if (count <= 0) return [];
    const lines: IndexedLine[] = [];
    let bytes = 0;
    for (const begun of this.#begun(from, count)) {
      const line = this.#line(begun, limits.lineBytes);
      bytes += Buffer.byteLength(line.text);
      if (lines.length > 0 && bytes > limits.allBytes) break;
      lines.push(line);
    }
    return lines;
  }

  /** The lines that have no newline yet. */
  openLines(lineBytes: number): readonly IndexedLine[] {
    const open = this.#open.filter((begun) => begun !== undefined && begun.line > 0);
    return open.map((begun) => this.#line(begun, lineBytes));
  }

  #begun(from: number, count: number): readonly Begun[] {
    const mark = this.#markBefore(from);
    if (mark === undefined) return [];
    const begun: Begun[] = [];
    let { line } = mark;
    const visitor = {
      begin: (source: number, offset: number, seenAt: number) => {
        if (line >= from && begun.length < count) begun.push({ line, source, offset, seenAt });
        line += 1;
      },
      end: () => undefined,
    };
    const isEnough = () => begun.length >= count;
    new LineWalk(mark).go(this.#order.arrivals, this.#outputs, visitor, isEnough);
    return begun;
  }

  #markBefore(line: number): Mark | undefined {
    let [low, high] = [0, this.#marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#marks[middle]?.line ?? 0) <= line) low = middle + 1;
      else high = middle;
    }
    return this.#marks[low - 1];
  }

  #line({ line, source, offset, seenAt }: Begun, lineBytes: number): IndexedLine {
    const placed = this.#order.placed(source);
    // Of a line that is not long only its newline tells the length.
    const most = Math.min(offset + Math.max(lineBytes, LONG_BYTES) + 1, placed);
    const read = this.#outputs[source]?.slice(offset, most) ?? Buffer.alloc(0);
    const newline = read.indexOf(10);
    const isOpen = newline < 0 && this.#open[source]?.line === line;
    const length = newline < 0 ? (this.#longLines.get(line) ?? placed - offset) : newline;
    const told =
      length <= lineBytes ? read.toString('utf8', 0, length) : beginningOf(read, lineBytes);
    // To look at the end of the line gives what was read to other bytes.
    const last =
      length <= lineBytes ? undefined : this.#lastState(source, offset + length, lineBytes);
    const text = last ?? told;
    return {
      ...{ line, stream: (source & 1) === 0 ? 'stdout' : 'stderr', part: source >> 1, seenAt },
      ...{ text, bytes: length, isOpen },
    };
  }

  /** What the last `\r` of a long line has begun; undefined when there is none near its end. */
  #lastState(source: number, end: number, lineBytes: number): string | undefined {
    const tail = this.#outputs[source]?.slice(end - lineBytes, end) ?? Buffer.alloc(0);
    const at = tail.lastIndexOf(RETURN, tail.length - 2);
    return at < 0 ? undefined : tail.toString('utf8', at + 1);
  }
}

/** A character that the limit has cut is left out. */
function beginningOf(read: Buffer, lineBytes: number): string {
  const told = read.subarray(0, lineBytes);
  return told.toString('utf8', 0, told.length - cutCharacter(told));
}
