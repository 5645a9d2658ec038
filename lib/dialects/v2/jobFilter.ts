import { isOver, type JobState } from '../../jobs/states.ts';
import type { JobDatabase } from '../../records/database.ts';
import { ACTIVE, type JobSummary } from '../../records/index/jobIndex.ts';
import { acceptedAt } from '../../records/jobRoot.ts';
import { fitsWildcards } from '../../wire/wildcards.ts';
import type { ListQuery } from './listSchemas.ts';

/** What is asked of a job, as far as its summary tells. */
export interface SummaryFilter
  extends Pick<ListQuery, 'auid' | 'jid' | 'state' | 'backend' | 'label' | 'since' | 'until'> {
  /** In small letters, as `find` and `name` are. */
  readonly text?: string | undefined;
  readonly find?: string | undefined;
  readonly name?: string | undefined;
}

/** What a query asks of a job. */
export function filterOf({ text, find, name, ...query }: ListQuery): SummaryFilter {
  return {
    ...query,
    text: text?.toLowerCase(),
    find: find?.toLowerCase(),
    name: name?.toLowerCase(),
  };
}

/**
 * The lists that hold every job that may fit, together, each oldest first: those of the filter that leaves the fewest.
 * @throws PmanError unavailable while not all records are known
 */
export async function candidates(
  database: JobDatabase,
  { auid, jid, state, label, backend }: SummaryFilter,
): Promise<readonly (readonly string[])[]> {
  const choices: (readonly (readonly string[])[])[] = [[database.roots()]];
  if (jid !== undefined) choices.push([await database.find('jid', jid)]);
  if (auid !== undefined) choices.push([database.rootsOf(auid)]);
  if (state !== undefined) {
    const names = new Set(state.map((one) => (isOver(one) ? one : ACTIVE)));
    choices.push([...names].map((name) => database.in('state', name)));
  }
  if (backend !== undefined && !backend.includes('host')) {
    choices.push([...new Set(backend)].map((one) => database.in('runsOn', one)));
  }
  for (const one of label ?? []) choices.push([database.in('label', one)]);
  const sizeOf = (lists: readonly (readonly string[])[]) =>
    lists.reduce((sum, { length }) => sum + length, 0);
  return choices.reduce((best, lists) => (sizeOf(lists) < sizeOf(best) ? lists : best));
}

/** Whether a job fits, by its summary; `perhaps`: its record has to be asked. */
export function fitsSummary(
  { auid, jid, state, backend, label, since, until, text, find, name }: SummaryFilter,
  root: string,
  summary: JobSummary,
): boolean | 'perhaps' {
  const { labels = {}, runsOn = 'host', cmd = '', isLong } = summary;
  const ownName = String(summary.jid ?? '');
  if (auid !== undefined && summary.auid !== auid) return false;
  if (jid !== undefined && ownName !== jid) return false;
  if (backend !== undefined && !backend.includes(runsOn)) return false;
  if (label?.some((one) => !hasLabel(labels, one))) return false;
  if (since !== undefined && acceptedAt(root) < since) return false;
  if (until !== undefined && acceptedAt(root) >= until) return false;
  if (name !== undefined && !fitsWildcards(ownName.toLowerCase(), name)) return false;
  const isNamed = find === undefined || isFound(find, root, ownName);
  if (!isNamed && !cmd.toLowerCase().includes(find)) return isLong === true ? 'perhaps' : false;
  if (text !== undefined && !cmd.toLowerCase().includes(text)) {
    return isLong === true ? 'perhaps' : false;
  }
  if (state === undefined) return true;
  if (summary.state !== undefined) return state.includes(summary.state);
  return state.some((one: JobState) => !isOver(one)) ? 'perhaps' : false;
}

/** Whether a text, in small letters, is in the name of a job, or begins its uuid. */
export function isFound(text: string, root: string, jid: string): boolean {
  return jid.toLowerCase().includes(text) || root.slice(root.indexOf('_') + 1).startsWith(text);
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const name = wanted.slice(0, at);
  return Object.hasOwn(labels, name) && labels[name] === wanted.slice(at + 1);
}
