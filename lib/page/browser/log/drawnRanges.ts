/** Rows that follow each other, from one to another. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** So many rows stay for what is selected in them. */
export const MOST_SELECTED = 2000;

/**
 * The rows that have to be in the page: those in view, and those in which something is selected. Of a very long selection the
 * ends alone: as long as they are there, the browser keeps it.
 * @returns ranges in order, with rows between them
 */
export function drawnRanges(view: RowRange, selected: RowRange | undefined): readonly RowRange[] {
  if (selected === undefined || view.to < view.from) return [view];
  const { from, to } = selected;
  const kept =
    to - from < MOST_SELECTED
      ? [selected]
      : [
          { from, to: from },
          { from: to, to },
        ];
  const ranges: RowRange[] = [];
  for (const range of [view, ...kept].sort((a, b) => a.from - b.from)) {
    const last = ranges.at(-1);
    if (last === undefined || range.from > last.to + 1) ranges.push(range);
    else ranges[ranges.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return ranges;
}
