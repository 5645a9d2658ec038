/**
 * Where the top of a window is once what it shows has moved by so many pixels, in rows of any height: 12.5 is the middle of
 * row 12. It stops where rows are not measured, but moves by a row at least.
 * @param px down, or up when it is negative
 * @param heightOf a row; undefined: not known
 */
export function walked(
  at: number,
  px: number,
  heightOf: (row: number) => number | undefined,
): number {
  let row = Math.floor(at);
  let share = at - row;
  let left = Math.abs(px);
  for (;;) {
    const height = heightOf(row);
    if (height === undefined) {
      if (px < 0) return Math.min(row + 1, Math.ceil(at) - 1);
      return Math.max(row, Math.floor(at) + 1);
    }
    const rest = (px < 0 ? share : 1 - share) * height;
    if (left < rest) return row + share + Math.sign(px) * (left / height);
    left -= rest;
    row += Math.sign(px);
    if (px < 0 && left === 0) return row + 1;
    share = px < 0 ? 1 : 0;
  }
}
