/** Which line stands in which row, where some lines are not shown. */
export class RowMap {
  readonly total: number;
  readonly #hidden: readonly number[];

  /** @param hidden the numbers of the lines that are not shown, in order */
  constructor(total: number, hidden: readonly number[] = []) {
    this.total = total;
    this.#hidden = hidden;
  }

  /** How many rows there are. */
  get rows(): number {
    return this.total - this.#hiddenUpTo(this.total);
  }

  /** The line in a row; rows count from 0, lines from 1. */
  lineAt(row: number): number {
    let [low, high] = [row + 1, row + 1 + this.#hidden.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (middle - this.#hiddenUpTo(middle) < row + 1) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The row of a line, or of the next one that is shown. */
  rowOf(line: number): number {
    return line - 1 - this.#hiddenUpTo(line - 1);
  }

  /** Of rows that follow each other the lines. */
  linesAt(from: number, to: number): number[] {
    const last = Math.min(to, this.rows - 1);
    const lines: number[] = [];
    for (let row = Math.max(0, from); row <= last; row += 1) lines.push(this.lineAt(row));
    return lines;
  }

  #hiddenUpTo(line: number): number {
    let [low, high] = [0, this.#hidden.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#hidden[middle] ?? 0) <= line) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
