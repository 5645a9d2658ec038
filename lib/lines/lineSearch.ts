import type { PartOutputs } from '../jobs/outputPieces.ts';
import { OutputBytes } from './outputBytes.ts';
import { OutputOrder } from './outputOrder.ts';
import { Pattern, type TextRange, type Wanted } from './pattern.ts';

export interface SearchOptions {
  /** undefined: any text. */
  readonly wanted: Wanted | undefined;
  /** undefined: both outputs. */
  readonly stream: 'stdout' | 'stderr' | undefined;
  /** The first line that counts. */
  readonly from: number;
  /** The most hits. */
  readonly limit: number;
  /** Asked now and then. */
  readonly isEnough: () => boolean;
}

export interface Found {
  /** The numbers of the lines that have it, in order. */
  readonly lines: readonly number[];
  /** Of an expression, for each of the lines where it fits first. */
  readonly ranges?: readonly TextRange[];
  /** Up to which line was looked. */
  readonly searched: number;
  /** Whether that is all there is. */
  readonly isWhole: boolean;
}

const BLOCK_BYTES = 256 * 1024;
/** Of a line that goes over several blocks so much is looked at, in bytes. */
const LINE_BYTES = 1024 * 1024;
const NEWLINE = 10;

/** A line that has begun in an earlier block. */
interface OpenLine {
  readonly line: number;
  readonly pieces: Buffer[];
  bytes: number;
}

/** Finds the lines that have a text or fit an expression; they have the numbers that `LineIndex` gives them. */
export function searchLines(parts: readonly PartOutputs[], options: SearchOptions): Found {
  const outputs = parts.flatMap(({ stdout, stderr }) => [
    new OutputBytes(stdout),
    new OutputBytes(stderr),
  ]);
  try {
    return new LineSearch(outputs, options).search(parts);
  } finally {
    for (const output of outputs) output.close();
  }
}

class LineSearch {
  readonly #outputs: readonly OutputBytes[];
  readonly #options: SearchOptions;
  readonly #pattern: Pattern | undefined;
  readonly #open = new Map<number, OpenLine>();
  readonly #hits: { readonly line: number; readonly range: TextRange | undefined }[] = [];
  #begun = 0;

  constructor(outputs: readonly OutputBytes[], options: SearchOptions) {
    this.#outputs = outputs;
    this.#options = options;
    this.#pattern = options.wanted && new Pattern(options.wanted);
  }

  search(parts: readonly PartOutputs[]): Found {
    const order = new OutputOrder();
    order.look(parts, 0);
    // What no log tells of counts as it stands.
    order.look(parts, Number.POSITIVE_INFINITY);
    for (const { source, from, to } of order.arrivals) {
      for (let at = from; at < to; ) {
        if (this.#hasEnough) return this.#found(false);
        const block = this.#outputs[source]?.slice(at, Math.min(to, at + BLOCK_BYTES));
        if (block === undefined || block.length === 0) break;
        this.#look(source, block);
        at += block.length;
      }
    }
    for (const [source, open] of this.#open)
      this.#test(source, open.line, Buffer.concat(open.pieces));
    return this.#found(true);
  }

  get #hasEnough(): boolean {
    return this.#hits.length > this.#options.limit || this.#options.isEnough();
  }

  #found(isWhole: boolean): Found {
    const { limit } = this.#options;
    // A line that was begun earlier may end later.
    const hits = this.#hits.sort((a, b) => a.line - b.line);
    const told = hits.slice(0, limit);
    const { wanted } = this.#options;
    const isExpression = wanted !== undefined && 'regex' in wanted;
    const found = {
      lines: told.map(({ line }) => line),
      ...(isExpression ? { ranges: told.map(({ range }) => range ?? ([0, 0] as const)) } : {}),
    };
    if (hits.length === told.length) return { ...found, searched: this.#begun, isWhole };
    // Whoever goes on has to begin behind the last that is told.
    return { ...found, searched: found.lines.at(-1) ?? 0, isWhole: false };
  }

  #look(source: number, block: Buffer): void {
    let at = this.#goOn(source, block);
    const isEmpty = !this.#isWanted(source) || this.#pattern?.mayBeIn(block) === false;
    while (at < block.length) {
      const newline = block.indexOf(NEWLINE, at);
      this.#begun += 1;
      if (newline < 0) {
        const rest = Buffer.from(block.subarray(at));
        this.#open.set(source, { line: this.#begun, pieces: [rest], bytes: rest.length });
        return;
      }
      if (!isEmpty) this.#test(source, this.#begun, block.subarray(at, newline));
      at = newline + 1;
    }
  }

  /** Ends the line that an earlier block has begun; says where the next one begins. */
  #goOn(source: number, block: Buffer): number {
    const open = this.#open.get(source);
    if (open === undefined) return 0;
    const newline = block.indexOf(NEWLINE);
    const end = newline < 0 ? block.length : newline;
    if (open.bytes < LINE_BYTES) {
      open.pieces.push(Buffer.from(block.subarray(0, end)));
      open.bytes += end;
    }
    if (newline < 0) return block.length;
    this.#open.delete(source);
    this.#test(source, open.line, Buffer.concat(open.pieces));
    return newline + 1;
  }

  #isWanted(source: number): boolean {
    const { stream } = this.#options;
    return stream === undefined || (stream === 'stderr') === ((source & 1) === 1);
  }

  #test(source: number, line: number, bytes: Buffer): void {
    if (line < this.#options.from || !this.#isWanted(source)) return;
    const range = this.#pattern?.find(bytes);
    if (this.#pattern === undefined || range !== undefined) this.#hits.push({ line, range });
  }
}
