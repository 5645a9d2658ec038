import { numberIn, withRoom } from './columns.ts';
import { FewWords } from './fewWords.ts';
import type { LineParts } from './indexLine.ts';
import type { JobEnd } from './jobSummary.ts';
import { Texts } from './texts.ts';

const NONE = -1;
/** For an exit code that is not known, and for that of a job that has none. */
const [NO_EXIT, EXIT_IS_NULL] = [-0x80000000, -0x7fffffff];

/** What lists show of how jobs have ended, a row each; their states are listed elsewhere. */
export class EndColumns {
  readonly #texts = new Texts();
  readonly #words = new FewWords();
  #exits = new Int32Array(0);
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);
  #codes = new Uint8Array(0);
  #causes = new Int32Array(0);

  /** A new row: nothing is known of it. */
  begin(row: number): void {
    this.#exits[row] = NO_EXIT;
    this.#starts[row] = Number.NaN;
    this.#ends[row] = Number.NaN;
    this.#codes[row] = 0;
    this.#causes[row] = NONE;
  }

  /** Takes down an end; what was known of the row has been forgotten. */
  write(row: number, { exit, startUs, endUs, code, cause }: JobEnd): void {
    this.#exits[row] = exitNumber(exit);
    this.#starts[row] = startUs ?? Number.NaN;
    this.#ends[row] = endUs ?? Number.NaN;
    this.#codes[row] = this.#words.numberOf(code);
    this.#causes[row] = cause === undefined ? NONE : this.#texts.hold(cause);
  }

  /** The same for a line of the index file. */
  writeLine(row: number, bytes: Buffer, parts: LineParts): void {
    const { exit, startUs, endUs, code, cause, causeEnd } = parts;
    this.#exits[row] = exitNumber(exit);
    this.#starts[row] = startUs;
    this.#ends[row] = endUs;
    this.#codes[row] = this.#words.numberOf(code);
    this.#causes[row] = cause === NONE ? NONE : this.#texts.holdBytes(bytes, cause, causeEnd);
  }

  /** Lets go of the text of a row. */
  forget(row: number): void {
    const id = this.#causes[row] ?? NONE;
    if (id !== NONE) this.#texts.release(id);
    this.#causes[row] = NONE;
  }

  exitAt(row: number): number | null | undefined {
    const exit = this.#exits[row] ?? NO_EXIT;
    if (exit === NO_EXIT) return undefined;
    return exit === EXIT_IS_NULL ? null : exit;
  }

  startUsAt(row: number): number | undefined {
    return numberIn(this.#starts, row);
  }

  endUsAt(row: number): number | undefined {
    return numberIn(this.#ends, row);
  }

  codeAt(row: number): string | undefined {
    return this.#words.at(this.#codes[row] ?? 0);
  }

  causeAt(row: number): string | undefined {
    const id = this.#causes[row] ?? NONE;
    return id === NONE ? undefined : this.#texts.get(id);
  }

  /** All that is known of an end; as `write` was given it. */
  at(row: number): Omit<JobEnd, 'state'> {
    const end: { -readonly [Name in keyof JobEnd]: JobEnd[Name] } = {};
    const [exit, startUs, endUs] = [this.exitAt(row), this.startUsAt(row), this.endUsAt(row)];
    const [code, cause] = [this.codeAt(row), this.causeAt(row)];
    if (exit !== undefined) end.exit = exit;
    if (startUs !== undefined) end.startUs = startUs;
    if (endUs !== undefined) end.endUs = endUs;
    if (code !== undefined) end.code = code;
    if (cause !== undefined) end.cause = cause;
    return end;
  }

  growTo(count: number): void {
    this.#exits = withRoom(this.#exits, count);
    this.#starts = withRoom(this.#starts, count);
    this.#ends = withRoom(this.#ends, count);
    this.#codes = withRoom(this.#codes, count);
    this.#causes = withRoom(this.#causes, count);
  }
}

function exitNumber(exit: number | null | undefined): number {
  if (exit === undefined) return NO_EXIT;
  return exit === null ? EXIT_IS_NULL : exit;
}
