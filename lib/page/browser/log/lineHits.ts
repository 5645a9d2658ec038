import type { FoundLines } from '../../../client/index.ts';
import type { TextRange } from './logQuery.ts';

/** The lines that were found, and which of them one is at. */
export class Hits {
  #lines: readonly number[] = [];
  readonly #ranges = new Map<number, TextRange>();
  #at: number | undefined;
  /** Up to which line was looked. */
  searched = 0;
  isWhole = true;

  get lines(): readonly number[] {
    return this.#lines;
  }

  /** The line that one is at. */
  get current(): number | undefined {
    return this.#at === undefined ? undefined : this.#lines[this.#at];
  }

  /** The place of it among the others, from 1 on; 0 for none. */
  get place(): number {
    return this.#at === undefined ? 0 : this.#at + 1;
  }

  has(line: number): boolean {
    const at = this.#firstFrom(line);
    return this.#lines[at] === line;
  }

  /** Where in a line it is first, when pman has said that. */
  range(line: number): TextRange | undefined {
    return this.#ranges.get(line);
  }

  /** More lines, behind those that are known. */
  add({ lines, ranges, searched, whole }: FoundLines): void {
    for (const [i, [from = 0, to = 0]] of (ranges ?? []).entries()) {
      const line = lines[i];
      if (line !== undefined) this.#ranges.set(line, [from, to]);
    }
    const last = this.#lines.at(-1) ?? 0;
    this.#lines = [...this.#lines, ...lines.filter((line) => line > last)];
    this.searched = searched;
    this.isWhole = whole;
  }

  /** Goes to the next one behind a line, or the one before it; round at the ends. */
  go(step: 1 | -1, from: number): number | undefined {
    const { length } = this.#lines;
    if (length === 0) return undefined;
    const current = this.#at;
    const first = step === 1 ? this.#firstFrom(from) : this.#firstFrom(from + 1) - 1;
    this.#at = ((current === undefined ? first : current + step) + length) % length;
    return this.current;
  }

  #firstFrom(line: number): number {
    let [low, high] = [0, this.#lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] ?? 0) < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
