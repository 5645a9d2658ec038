import type { RootList } from '../records/index/listedJobs.ts';
import type { JsonValue } from '../wire/json.ts';
import type { ActionResult, Page } from '../wire/reply.ts';
import type { PageMeta } from '../wire/request.ts';

/** How many jobs an answer tells of, when the request does not say. */
const DEFAULT_LIMIT = 1000;

/** About how much an answer holds, in characters; more only when one job alone has more. */
export const MAX_ANSWER_CHARACTERS = 8 * 1024 * 1024;

/** The part of a list that an answer has room for. */
export interface Range {
  readonly from: number;
  readonly limit: number;
}

export function rangeOf({ offset = 0, limit = DEFAULT_LIMIT }: PageMeta): Range {
  return { from: offset, limit };
}

/** What an answer says of the page that it is. */
export function pageOf({ from, limit }: Range, total: number, count: number): Page {
  const next = from + count;
  return { total, limit, ...(next < total ? { next } : {}) };
}

/**
 * The same; undefined when it has everything and nobody has asked for a page: then it
 * is the original's.
 * @param count how many it has
 */
export function pageMember(wanted: PageMeta, total: number, count: number): Page | undefined {
  const isAsked = wanted.limit !== undefined || wanted.offset !== undefined;
  const page = pageOf(rangeOf(wanted), total, count);
  return isAsked || page.next !== undefined ? page : undefined;
}

/** A page of the list of jobs: one member each, with an empty object. */
export function rootPage(roots: RootList, wanted: PageMeta): Pick<ActionResult, 'result' | 'page'> {
  const { from, limit } = rangeOf(wanted);
  const shown = roots.slice(from, from + limit).map((root): [string, JsonValue] => [root, {}]);
  const page = pageMember(wanted, roots.length, shown.length);
  return { result: Object.fromEntries(shown), ...(page && { page }) };
}
