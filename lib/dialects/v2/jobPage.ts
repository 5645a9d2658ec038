import { freely } from '../../concurrency/turns.ts';
import type { JobSummary } from '../../records/index/jobIndex.ts';
import { acceptedAt, byOrder, orderOf } from '../../records/jobRoot.ts';
import { TreeNode } from '../../tree/node.ts';
import type { ApiContext } from './apiRoute.ts';
import { candidates, filterOf, fitsSummary, isFound, type SummaryFilter } from './jobFilter.ts';
import { jobResource, linksOf } from './jobResource.ts';
import type { JobResource } from './jobSchema.ts';
import { jobText } from './jobText.ts';
import type { ListQuery } from './listSchemas.ts';
import { digestOf, WrittenJson } from './writtenJson.ts';

export type JobPart = Partial<JobResource> & Pick<JobResource, 'id'>;

/** Some of the jobs that fit, and where the next ones begin: pages neither repeat a job nor leave one out that stays. */
export async function jobPage(context: ApiContext, query: ListQuery): Promise<WrittenJson> {
  const { database } = context;
  const { limit, cursor, fields, since, until } = query;
  const filter = filterOf(query);
  const isUpward = query.sort === 'oldest' || query.sort === 'acceptedAt';
  const lists = await candidates(database, filter);
  const found: Found[] = [];
  let looks = 0;
  for (const root of inTurn(lists, { isUpward, after: cursor, since, until })) {
    looks += 1;
    // A look at the clock takes as long as a look at a job.
    if (looks % LOOKS === 0 && freely.isOthersTurn) await freely.turn();
    const summary = database.summary(root);
    if (summary === undefined) continue;
    const fits = fitsSummary(filter, root, summary);
    if (fits === false) continue;
    if (found.length === limit && fits === true) return page(found);
    const json = listed(context, { root, summary, filter, fields, fits });
    if (json === undefined) continue;
    if (found.length === limit) return page(found);
    found.push({ root, json });
    if (freely.isOthersTurn) await freely.turn();
  }
  return page(found, null);
}

/** A job as its record tells it. */
export function wholly({ database, jobs }: ApiContext, root: string): JobResource {
  return jobResource(jobs, root, database.tree(root) ?? new TreeNode());
}

/** A job of a page. */
interface Found {
  readonly root: string;
  readonly json: WrittenJson;
}

interface Listed {
  readonly root: string;
  readonly summary: JobSummary;
  readonly filter: SummaryFilter;
  readonly fields: ListQuery['fields'];
  readonly fits: true | 'perhaps';
}

/** What a page has of a job; undefined when it does not fit after all. */
function listed(
  context: ApiContext,
  { root, summary, filter, fields, fits }: Listed,
): WrittenJson | undefined {
  if (fields === undefined && fits === true) return jobText(context, root);
  const short = fields && fits === true ? shortly(root, summary, fields) : undefined;
  if (short !== undefined) return new WrittenJson(short);
  const job = wholly(context, root);
  if (fits === 'perhaps' && !fitsWhole(filter, job)) return undefined;
  return new WrittenJson(JSON.stringify(fields === undefined ? job : only(job, fields)));
}

const LOOKS = 64;
/** A digest of a text as long costs more than one of the text's digest. */
const LONG_TEXT = 500;

/** @param next where the next page begins; default: behind the last one of these */
function page(found: readonly Found[], next = cursorBehind(found)): WrittenJson {
  const jobs = found.map(({ json }) => json.text).join(',');
  const cursor = JSON.stringify(next);
  const text = `{"jobs":[${jobs}],"next":${cursor}}`;
  // The digests of whole jobs are kept with their texts.
  const isOfMany = found.some(({ json }) => json.text.length > LONG_TEXT);
  const digests = isOfMany ? found.map(({ json }) => json.digest).join(' ') : undefined;
  return new WrittenJson(text, digests && digestOf(`${digests} ${cursor}`));
}

function cursorBehind(found: readonly Found[]): string | null {
  const last = found.at(-1);
  return last === undefined ? null : cursorAt(last.root);
}

/** Where a page ends, as clients get it: they are not to read it. */
function cursorAt(root: string): string {
  return Buffer.from(root).toString('base64url');
}

type Tell = (root: string, summary: JobSummary) => JobPart[keyof JobPart];

/** What of a job that has ended is told without its record. */
const SHORT: { readonly [Name in keyof JobResource]?: Tell } = {
  id: (root) => root,
  jid: (_, { jid }) => (typeof jid === 'string' ? jid : null),
  auid: (_, { auid }) => (typeof auid === 'string' ? auid : null),
  command: (_, { cmd, isLong }) => (isLong === true ? undefined : cmd),
  backend: (_, { runsOn }) => runsOn ?? 'host',
  state: (_, { state }) => state,
  labels: (_, { labels = {} }) => labels,
  acceptedAt: (root) => new Date(acceptedAt(root)).toISOString(),
  links: linksOf,
};

/** Members of a job that has ended, as JSON, where its summary has all of them. */
function shortly(
  root: string,
  summary: JobSummary,
  fields: readonly (keyof JobResource)[],
): string | undefined {
  if (summary.state === undefined) return undefined;
  let text = `{"id":${JSON.stringify(root)}`;
  for (const name of new Set(fields)) {
    if (name === 'id') continue;
    const value = SHORT[name]?.(root, summary);
    if (value === undefined) return undefined;
    text += `,"${name}":${JSON.stringify(value)}`;
  }
  return `${text}}`;
}

function only(job: JobPart, fields: readonly (keyof JobResource)[]): JobPart {
  const wanted = new Set<string>(fields);
  const entries = Object.entries(job).filter(([name]) => wanted.has(name));
  return { ...Object.fromEntries(entries), id: job.id };
}

/** Whether a job fits, by its record. */
export function fitsWhole(
  { text, find, state }: Pick<SummaryFilter, 'state' | 'text' | 'find'>,
  { id, jid, command = '', state: is }: JobPart,
): boolean {
  const line = command.toLowerCase();
  if (text !== undefined && !line.includes(text)) return false;
  if (find !== undefined && !isFound(find, id, jid ?? '') && !line.includes(find)) return false;
  return state === undefined || (is !== undefined && state.includes(is));
}

interface Range {
  readonly isUpward: boolean;
  /** The root that the page before has ended with. */
  readonly after: string | undefined;
  /** Times, in milliseconds since 1970: where to begin and to end, about. */
  readonly since: number | undefined;
  readonly until: number | undefined;
}

/** The roots of several lists, each in order, as one list would have them. */
function* inTurn(
  lists: readonly (readonly string[])[],
  { isUpward, after, since, until }: Range,
): Generator<string> {
  const step = isUpward ? 1 : -1;
  const ends = lists.map((list): End => {
    const from = since === undefined ? 0 : firstFrom(list, since * 1000);
    const to = until === undefined ? list.length : firstFrom(list, until * 1000);
    const { low, high } = beside(list, after, isUpward);
    const first = Math.max(from, low);
    const last = Math.min(to, high) - 1;
    const [at, end] = isUpward ? [first, last] : [last, first];
    return { list, size: list.length, at, end };
  });
  let last: string | undefined;
  for (let one = nextOf(ends, step); one !== undefined; one = nextOf(ends, step)) {
    const root = one.list[one.at];
    one.at += step;
    // A job that came in between has moved the others by one.
    const isBehind =
      last === undefined || one.list.length === one.size || byOrder(root ?? '', last) * step > 0;
    if (root === undefined || !isBehind) continue;
    last = root;
    yield root;
  }
}

interface End {
  readonly list: readonly string[];
  /** How many there were when it was looked at first. */
  readonly size: number;
  readonly end: number;
  at: number;
}

/** The list whose next root comes first; undefined when all have been gone through. */
function nextOf(ends: readonly End[], step: number): End | undefined {
  const [only] = ends;
  if (ends.length === 1 && only !== undefined) {
    return (only.end - only.at) * step < 0 ? undefined : only;
  }
  let next: End | undefined;
  for (const one of ends) {
    if ((one.end - one.at) * step < 0) continue;
    const [mine = '', best] = [one.list[one.at], next?.list[next.at]];
    if (best === undefined || byOrder(mine, best) * step < 0) next = one;
  }
  return next;
}

/** The places of a list that are behind a root, in the direction of the page. */
function beside(list: readonly string[], after: string | undefined, isUpward: boolean) {
  if (after === undefined) return { low: 0, high: list.length };
  const at = firstWhere(list, (root) => byOrder(root, after) >= 0);
  return isUpward
    ? { low: list[at] === after ? at + 1 : at, high: list.length }
    : { low: 0, high: at };
}

function firstFrom(list: readonly string[], order: number): number {
  return firstWhere(list, (root) => orderOf(root) >= order);
}

/** The first place of a list in order that something is true of. */
function firstWhere(list: readonly string[], isTrue: (root: string) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const root = list[middle];
    if (root !== undefined && isTrue(root)) high = middle;
    else low = middle + 1;
  }
  return low;
}
