/** Of a row, in pixels; styles.css has it, too. */
export const ROW = 32;

/** How a scroll bar stands to the rows of its list, in pixels. */
export interface ListBar {
  /** Of what it scrolls. */
  readonly height: number;
  /** What a row's place in the list is more than its place below the bar. */
  readonly offset: number;
  /** How far the list is scrolled, in its own pixels. */
  readonly top: number;
}

/** Rows that are drawn, from the first one to the one before another, and how high what is above and below them is. */
export interface DrawnRows {
  readonly from: number;
  readonly to: number;
  readonly above: number;
  readonly below: number;
}

/**
 * Where rows of a list stand below its scroll bar.
 * @param wanted rows to be drawn, as far as they are loaded: from the first one to the one before the last
 * @param loaded where the loaded rows stand in the list
 */
export function drawnRows(
  wanted: { readonly first: number; readonly last: number },
  loaded: { readonly start: number; readonly count: number },
  { height, offset, top }: ListBar,
): DrawnRows {
  const end = loaded.start + loaded.count;
  const within = (row: number) => Math.max(loaded.start, Math.min(end, row));
  // Of rows that are not seen, those are left out that would stand above or below the ends of the bar.
  const highest = Math.min(Math.ceil(offset / ROW), Math.floor(top / ROW));
  const lowest = Math.ceil((height + offset) / ROW);
  const from = within(Math.max(wanted.first, highest));
  const to = Math.max(from, within(Math.min(wanted.last, lowest)));
  const above = Math.max(0, Math.min(height, Math.round(from * ROW - offset)));
  return { from, to, above, below: Math.max(0, height - above - (to - from) * ROW) };
}
