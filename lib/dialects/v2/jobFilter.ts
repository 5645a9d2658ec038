import { isOver, type JobState } from '../../jobs/states.ts';
import type { JobDatabase } from '../../records/database.ts';
import { ACTIVE } from '../../records/index/jobIndex.ts';
import type { JobLook } from '../../records/index/jobLook.ts';
import type { JobRows } from '../../records/index/listedJobs.ts';
import { SoughtText } from '../../records/index/soughtText.ts';
import { acceptedAt } from '../../records/jobRoot.ts';
import { fitsWildcards } from '../../wire/wildcards.ts';
import type { ListQuery } from './listSchemas.ts';

/** What is asked of a job, as far as its summary tells. */
export interface SummaryFilter
  extends Pick<ListQuery, 'auid' | 'jid' | 'state' | 'backend' | 'label' | 'since' | 'until'> {
  readonly text?: SoughtText | undefined;
  readonly find?: SoughtText | undefined;
  /** In small letters. */
  readonly name?: string | undefined;
}

/** What a query asks of a job. */
export function filterOf(query: ListQuery): SummaryFilter {
  const { auid, jid, state, backend, label, since, until, text, find, name } = query;
  return {
    ...{ auid, jid, state, backend, label, since, until },
    text: text === undefined ? undefined : new SoughtText(text),
    find: find === undefined ? undefined : new SoughtText(find),
    name: name?.toLowerCase(),
  };
}

/** Whether nothing is asked of a job but when it was accepted. */
export function isOfAll({ since: _, until: __, ...others }: SummaryFilter): boolean {
  return Object.values(others).every((one) => one === undefined);
}

/**
 * The lists that hold every job that may fit, together, each oldest first: those of the filter that leaves the fewest.
 * @throws PmanError unavailable while not all records are known
 */
export function candidates(
  database: JobDatabase,
  { auid, jid, state, label, backend }: SummaryFilter,
): readonly JobRows[] {
  const choices: (readonly JobRows[])[] = [[database.roots()]];
  if (jid !== undefined) choices.push([database.in('jid', jid)]);
  if (auid !== undefined) choices.push([database.in('auid', auid)]);
  if (state !== undefined) {
    const names = new Set(state.map((one) => (isOver(one) ? one : ACTIVE)));
    choices.push([...names].map((name) => database.in('state', name)));
  }
  if (backend !== undefined && !backend.includes('host')) {
    choices.push([...new Set(backend)].map((one) => database.in('runsOn', one)));
  }
  for (const one of label ?? []) choices.push([database.in('label', one)]);
  const sizeOf = (lists: readonly JobRows[]) => lists.reduce((sum, { length }) => sum + length, 0);
  return choices.reduce((best, lists) => (sizeOf(lists) < sizeOf(best) ? lists : best));
}

/** Whether a job fits, by what is known of it; `perhaps`: its record has to be asked. */
export function fitsSummary(
  { auid, jid, state, backend, label, since, until, text, find, name }: SummaryFilter,
  job: JobLook,
): boolean | 'perhaps' {
  // Nothing is looked up that is not asked for: there may be a million jobs.
  if (auid !== undefined && job.auid !== auid) return false;
  if (jid !== undefined && nameOf(job) !== jid) return false;
  if (backend !== undefined && !backend.includes(job.runsOn ?? 'host')) return false;
  if (label !== undefined && !hasLabels(job.labels ?? {}, label)) return false;
  if (since !== undefined && acceptedAt(job.root) < since) return false;
  if (until !== undefined && acceptedAt(job.root) >= until) return false;
  if (name !== undefined && !fitsWildcards(nameOf(job).toLowerCase(), name)) return false;
  if (text !== undefined && !job.hasInCmd(text)) return ifItIsLong(job);
  if (find !== undefined && !isIn(find, job)) return ifItIsLong(job);
  if (state === undefined) return true;
  const is = job.state;
  if (is !== undefined) return state.includes(is);
  return state.some((one: JobState) => !isOver(one)) ? 'perhaps' : false;
}

/** Whether a text is in the command or the name of a job, or begins its uuid. */
function isIn(text: SoughtText, job: JobLook): boolean {
  return job.hasInCmd(text) || job.hasInJid(text) || job.hasUuid(text);
}

/** The rest of a long command is in its record. */
const ifItIsLong = ({ isLong }: JobLook) => (isLong === true ? 'perhaps' : false);
const nameOf = ({ jid }: JobLook) => String(jid ?? '');

function hasLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((one) => hasLabel(labels, one));
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const name = wanted.slice(0, at);
  return Object.hasOwn(labels, name) && labels[name] === wanted.slice(at + 1);
}
