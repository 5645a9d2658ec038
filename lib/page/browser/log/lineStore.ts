import type { OutputLine, OutputLines } from '../../../client/index.ts';
import { type Look, PLAIN, type Span, showLine } from './ansi.ts';

/** Lines come and go in chunks of so many. */
export const CHUNK_LINES = 200;
/** What is kept of texts, in characters. */
const MOST_KEPT = 8 * 1024 * 1024;
/** What a line takes beside its text. */
const LINE_COST = 100;

export interface ShownLine {
  readonly line: OutputLine;
  readonly spans: readonly Span[];
}

interface Looks {
  readonly stdout: Look;
  readonly stderr: Look;
}

const NO_LOOKS: Looks = { stdout: PLAIN, stderr: PLAIN };

class Chunk {
  readonly lines: (OutputLine | undefined)[] = [];
  weight = 0;
  #shown: (ShownLine | undefined)[] | undefined;
  #before: Looks = NO_LOOKS;
  #after: Looks = NO_LOOKS;

  set(at: number, line: OutputLine | undefined): void {
    const cost = (one: OutputLine | undefined) =>
      one === undefined ? 0 : one.text.length + LINE_COST;
    this.weight += cost(line) - cost(this.lines[at]);
    this.lines[at] = line;
    this.#shown = undefined;
  }

  /** How its lines look when these are the looks before it. */
  shown(before: Looks): { lines: readonly (ShownLine | undefined)[]; after: Looks } {
    const isSame =
      this.#shown !== undefined &&
      before.stdout === this.#before.stdout &&
      before.stderr === this.#before.stderr;
    if (isSame) return { lines: this.#shown ?? [], after: this.#after };
    let looks = before;
    const lines = Array.from(this.lines, (line) => {
      if (line === undefined) return undefined;
      const { spans, look } = showLine(line.text, looks[line.stream]);
      if (look !== looks[line.stream]) looks = { ...looks, [line.stream]: look };
      return { line, spans };
    });
    this.#shown = lines;
    this.#before = before;
    this.#after = looks;
    return { lines, after: looks };
  }
}

/** The lines that the page has: those that were looked at last. */
export class LineStore {
  readonly #mostKept: number;
  /** The chunk that was used last is at the end. */
  readonly #chunks = new Map<number, Chunk>();
  readonly #open = new Set<number>();

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept;
  }

  /** About how much is kept, in characters. */
  get weight(): number {
    let sum = 0;
    for (const { weight } of this.#chunks.values()) sum += weight;
    return sum;
  }

  /** Takes what an answer tells. */
  put({ lines, open }: Pick<OutputLines, 'lines' | 'open'>): void {
    // What was without an end, and is no more, has got the rest of it.
    for (const line of this.#open) this.#set(line, undefined);
    this.#open.clear();
    for (const line of lines) this.#set(line.line, line);
    for (const line of open) {
      const isNear = this.#chunks.has(chunkOf(line.line));
      if (isNear) this.#set(line.line, line);
      if (isNear) this.#open.add(line.line);
    }
  }

  /** Takes what an answer tells that newer ones have overtaken: of lines that grow these know more. */
  putOld({ lines }: Pick<OutputLines, 'lines'>): void {
    for (const line of lines) if (line.open !== true) this.#set(line.line, line);
  }

  get(line: number): OutputLine | undefined {
    return this.#chunks.get(chunkOf(line))?.lines[(line - 1) % CHUNK_LINES];
  }

  /** How a line is shown; undefined for one that is not there. */
  shown(line: number): ShownLine | undefined {
    const number = chunkOf(line);
    const chunk = this.#chunks.get(number);
    if (chunk === undefined) return undefined;
    const { lines } = chunk.shown(this.#looksBefore(number));
    return lines[(line - 1) % CHUNK_LINES];
  }

  /** The first line of these that is not there. */
  missing(from: number, to: number): number | undefined {
    for (let line = from; line <= to; line += 1) if (this.get(line) === undefined) return line;
    return undefined;
  }

  /** Lets go what was not used for long, but not what is in view. */
  forget(from: number, to: number): void {
    for (let number = chunkOf(from); number <= chunkOf(to); number += 1) {
      const used = this.#chunks.get(number);
      if (used === undefined) continue;
      this.#chunks.delete(number);
      this.#chunks.set(number, used);
    }
    let { weight } = this;
    for (const [number, chunk] of this.#chunks) {
      const isInView = number >= chunkOf(from) && number <= chunkOf(to);
      if (weight <= this.#mostKept || isInView) return;
      this.#chunks.delete(number);
      weight -= chunk.weight;
    }
  }

  #set(line: number, value: OutputLine | undefined): void {
    const number = chunkOf(line);
    let chunk = this.#chunks.get(number);
    if (chunk === undefined) {
      if (value === undefined) return;
      chunk = new Chunk();
      this.#chunks.set(number, chunk);
    }
    chunk.set((line - 1) % CHUNK_LINES, value);
  }

  /** Those at the end of the chunk before, as far as chunks are there without a gap. */
  #looksBefore(number: number): Looks {
    let first = number;
    while (this.#chunks.has(first - 1)) first -= 1;
    let looks = NO_LOOKS;
    for (let n = first; n < number; n += 1)
      looks = this.#chunks.get(n)?.shown(looks).after ?? looks;
    return looks;
  }
}

function chunkOf(line: number): number {
  return Math.floor((line - 1) / CHUNK_LINES);
}
