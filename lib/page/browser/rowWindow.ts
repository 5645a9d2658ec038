import type { JobQuery } from '../../client/index.ts';
import type { Row, RowList } from './rowList.ts';

/** Places in the list: from the first one to the one before another. */
export interface View {
  readonly from: number;
  readonly to: number;
}

/** Rows that are to be asked for. */
export interface WantedRows {
  readonly where: 'before' | 'behind' | 'elsewhere';
  /** Whether they are asked for from the other end of the list, so that the last one comes first. */
  readonly isReversed: boolean;
  readonly query: Pick<JobQuery, 'after' | 'offset' | 'limit'>;
  /** Of those that come from elsewhere: where the first one stands, when there are as many as were asked for. */
  readonly start: number;
}

/** How many rows are there beyond those that are seen. */
const AHEAD = 60;
/** How many are asked for before or behind others. */
export const NEXT = 200;

/**
 * What is missing for a view of the list; undefined: nothing. Rows beside those that are there are asked for by the job that
 * they are next to: so none is missed and none comes twice, whatever happens to the list. Rows elsewhere are asked for by
 * their number, from the nearer end: the last row of a list is found where it is.
 * @param length of the whole list, as far as it is known
 */
export function wantedRows(
  { from, to }: View,
  { all: rows, start, hasMore }: Pick<RowList, 'all' | 'start' | 'hasMore'>,
  length: number,
): WantedRows | undefined {
  const end = start + rows.length;
  const [first, last] = [rows[0], rows.at(-1)];
  const isNear = to + NEXT >= start && from - NEXT <= end;
  if (first === undefined || last === undefined || !isNear) {
    return hasMore || start > 0 ? elsewhere({ from, to }, length) : undefined;
  }
  if (hasMore && to + AHEAD > end) {
    return { where: 'behind', isReversed: false, start, query: { after: last.id, limit: NEXT } };
  }
  if (start > 0 && from - AHEAD < start) {
    return { where: 'before', isReversed: true, start, query: { after: first.id, limit: NEXT } };
  }
  return undefined;
}

function elsewhere({ from, to }: View, length: number): WantedRows {
  const limit = Math.min(1000, Math.max(0, to - from) + 2 * AHEAD);
  const first = Math.max(0, Math.min(from - AHEAD, length - limit));
  const behind = length - first - limit;
  const isReversed = behind >= 0 && behind < first;
  const offset = isReversed ? behind : first;
  return { where: 'elsewhere', isReversed, start: first, query: { offset, limit } };
}

/** Puts the rows in their place that have come for what was wanted. @returns whether they are the first of the whole list */
export function takeIn(
  list: RowList,
  { where, isReversed, start, query }: WantedRows,
  { jobs, next }: { readonly jobs: readonly Row[]; readonly next: string | null },
): boolean {
  const rows = isReversed ? jobs.toReversed() : jobs;
  const isLast = next === null;
  if (where === 'behind') list.add(rows, !isLast);
  else if (where === 'before') list.addBefore(rows, isLast);
  else if (isReversed) {
    list.set(rows, { start: isLast ? 0 : start, hasMore: (query.offset ?? 0) > 0 });
  } else list.set(rows, { start, hasMore: !isLast });
  return where !== 'behind' && list.start === 0;
}
