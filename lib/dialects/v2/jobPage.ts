import { freely } from '../../concurrency/turns.ts';
import { utcTime } from '../../host/utcTime.ts';
import { isReasonCode, REASONS } from '../../jobs/states.ts';
import type { JobLook } from '../../records/index/jobLook.ts';
import { looksInTurn } from '../../records/index/listedJobs.ts';
import { acceptedAt } from '../../records/jobRoot.ts';
import { TreeNode } from '../../tree/node.ts';
import { portableJson } from '../../wire/portableJson.ts';
import type { ApiContext } from './apiRoute.ts';
import { candidates, filterOf, fitsSummary, isOfAll, type SummaryFilter } from './jobFilter.ts';
import { jobResource, linksOf, rfc3339 } from './jobResource.ts';
import type { JobResource } from './jobSchema.ts';
import { jobText } from './jobText.ts';
import type { ListQuery } from './listSchemas.ts';
import { digestOf, WrittenJson } from './writtenJson.ts';

/** What lists are made of. */
export type Records = Pick<ApiContext, 'database' | 'jobs'>;
export type JobPart = Partial<JobResource> & Pick<JobResource, 'id'>;

/** Some of the jobs that fit, and where the next ones begin: pages neither repeat a job nor leave one out that stays. */
export async function jobPage(context: Records, query: ListQuery): Promise<WrittenJson> {
  const { database } = context;
  const { limit, cursor, fields, after } = query;
  const offset = cursor === undefined ? query.offset : 0;
  const filter = filterOf(query);
  const isUpward = query.sort === 'oldest' || query.sort === 'acceptedAt';
  // Those that are left out are not looked at where each job fits.
  const isAny = isOfAll(filter) && filter.since === undefined && filter.until === undefined;
  const skip = database.indexing === undefined && isAny ? offset : 0;
  const { text, find } = filter;
  const span = { isUpward, after: cursor ?? after, skip, text, find, ...timesOf(query) };
  const found: Found[] = [];
  let left = offset - skip;
  let looks = 0;
  for (const job of looksInTurn(candidates(database, filter), span)) {
    looks += 1;
    if (isKnown(database, job)) {
      const fits = fitsSummary(filter, job);
      if (fits === true && left > 0) left -= 1;
      else if (fits !== false) {
        if (found.length === limit && fits === true) return page(found);
        const { root } = job;
        const json = listed(context, { root, job, filter, fields, fits });
        if (json !== undefined && left > 0) left -= 1;
        else if (json !== undefined && found.length === limit) return page(found);
        else if (json !== undefined) found.push({ root, json });
      }
    }
    // A look at the clock takes as long as a look at a job. Nothing of the job is looked up behind this.
    const isLong = looks % LOOKS === 0 || found.length > 0;
    if (isLong && freely.isOthersTurn) await freely.turn();
  }
  return page(found, null);
}

/** Where a list may begin and end, in microseconds. */
function timesOf({ since, until }: ListQuery) {
  return {
    from: since === undefined ? undefined : Math.round(since * 1000),
    to: until === undefined ? undefined : Math.round(until * 1000),
  };
}

/** Whether a job is there; its record is read where the index does not know that yet. */
export function isKnown(database: ApiContext['database'], job: JobLook): boolean {
  return database.indexing === undefined || database.look(job.root) !== undefined;
}

/** A job as its record tells it. */
export function wholly({ database, jobs }: Records, root: string): JobResource {
  return jobResource(jobs, root, database.outline(root) ?? new TreeNode());
}

/** A job of a page. */
interface Found {
  readonly root: string;
  readonly json: WrittenJson;
}

interface Listed {
  readonly root: string;
  readonly job: JobLook;
  readonly filter: SummaryFilter;
  readonly fields: ListQuery['fields'];
  readonly fits: true | 'perhaps';
}

/** What a page has of a job; undefined when it does not fit after all. */
function listed(
  context: Records,
  { root, job: look, filter, fields, fits }: Listed,
): WrittenJson | undefined {
  if (fields === undefined && fits === true) return jobText(context, root);
  const short = fields && fits === true ? shortly(look, fields) : undefined;
  if (short !== undefined) return new WrittenJson(short);
  const job = wholly(context, root);
  if (fits === 'perhaps' && !fitsWhole(filter, job)) return undefined;
  return new WrittenJson(portableJson(fields === undefined ? job : only(job, fields)));
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

type Tell = (job: JobLook) => JobPart[keyof JobPart];

/** What of a job that has ended is told without its record. */
const SHORT: { readonly [Name in keyof JobResource]?: Tell } = {
  id: ({ root }) => root,
  jid: ({ jid }) => (typeof jid === 'string' ? jid : null),
  auid: ({ auid }) => (typeof auid === 'string' ? auid : null),
  command: ({ cmd, isLong }) => (isLong === true ? undefined : cmd),
  backend: ({ runsOn }) => runsOn ?? 'host',
  state: ({ state }) => state,
  labels: ({ labels }) => labels ?? {},
  acceptedAt: ({ root }) => utcTime(acceptedAt(root)),
  links: ({ root }) => linksOf(root),
  place: () => null,
  exitCode: ({ exit }) => exit,
  startedAt: ({ exit, startUs }) => (exit === undefined ? undefined : timeIn(startUs)),
  endedAt: ({ exit, endUs }) => (exit === undefined ? undefined : timeIn(endUs)),
  reason: ({ exit, code, cause }) => (exit === undefined ? undefined : reasonIn(code, cause)),
};

const timeIn = (us: number | undefined) => rfc3339(us === undefined ? us : us / 1000);

function reasonIn(code: string | undefined, cause: string | undefined): JobResource['reason'] {
  if (!isReasonCode(code)) return null;
  return { code, message: cause ?? REASONS[code] };
}

/** Members of a job that has ended, as JSON, where its summary has all of them. */
function shortly(job: JobLook, fields: readonly (keyof JobResource)[]): string | undefined {
  if (job.state === undefined) return undefined;
  let text = `{"id":${JSON.stringify(job.root)}`;
  for (const name of new Set(fields)) {
    if (name === 'id') continue;
    const value = SHORT[name]?.(job);
    if (value === undefined) return undefined;
    text += `,"${name}":${portableJson(value)}`;
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
  if (text !== undefined && !text.isIn(command)) return false;
  const places = [command, jid ?? ''];
  if (find !== undefined && !places.some((one) => find.isIn(one)) && !find.begins(id)) {
    return false;
  }
  return state === undefined || (is !== undefined && state.includes(is));
}
