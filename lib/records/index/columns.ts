export type Column = Int32Array | Uint32Array | Float64Array | Uint8Array;

/** The column with room for `length` values at least: itself, or a larger one with the same values. */
export function withRoom<T extends Column>(column: T, length: number): T {
  if (column.length >= length) return column;
  const Kind = column.constructor as new (length: number) => T;
  const larger = new Kind(length);
  larger.set(column);
  return larger;
}

/** How many rows to have room for, when one is to be added to as many as there is room for. */
export function nextCapacity(capacity: number): number {
  return Math.max(16, Math.ceil(capacity * 1.5));
}

/** A number of a column; undefined where it is not a number. */
export function numberIn(column: Float64Array, row: number): number | undefined {
  const number = column[row] ?? Number.NaN;
  return Number.isNaN(number) ? undefined : number;
}
