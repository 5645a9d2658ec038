import type { JobQuery } from '../../client/index.ts';
import type { Filter } from './pagePlace.ts';
import { type Group, groupNamed, isOver, type State } from './shown.ts';

/** What `q` may name, beside words to find: what it is for, in the help. */
export const SEARCH_WORDS = {
  'name:': 'the whole jid; * stands for any characters',
  'user:': 'who the job is for (auid)',
  'label:': 'a label, name=value',
  'on:': 'host, ssh or container',
  'since:': 'accepted in the last 30m, 2h, 7d',
} as const;

const PLACES = ['host', 'ssh', 'container'] as const;
const UNIT_MS: Readonly<Record<string, number>> = {
  ...{ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
};

/** What is asked of the server for a filter. @param now its time, in milliseconds since 1970 */
export function queryOf(filter: Filter, now: number): JobQuery {
  const { q, sort } = filter;
  const state = statesOf(filter);
  const words: string[] = [];
  const labels: string[] = [];
  let query: JobQuery = {};
  for (const word of wordsIn(q)) {
    const [, key = '', value = ''] = /^(name|user|label|on|since):(.+)$/s.exec(word) ?? [];
    const place = PLACES.find((one) => one === value);
    const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
    if (key === 'name') query = { ...query, name: value };
    else if (key === 'user') query = { ...query, auid: value };
    else if (key === 'label' && /^[^=]+=/.test(value)) labels.push(value);
    else if (key === 'on' && place !== undefined) query = { ...query, backend: [place] };
    else if (key === 'since' && amount !== undefined) {
      const ago = Number(amount) * (UNIT_MS[unit] ?? 0);
      query = { ...query, since: new Date(now - ago) };
    } else words.push(word);
  }
  return {
    ...query,
    ...(words.length > 0 && { find: words.join(' ') }),
    ...(labels.length > 0 && { label: labels.slice(0, 8) }),
    ...(sort === 'oldest' && { sort }),
    ...(state !== undefined && { state }),
  };
}

/** The states that a filter asks for; undefined: all. */
export function statesOf({ states }: Filter): JobQuery['state'] {
  const groups = states.flatMap((name): readonly Group[] => {
    const group = groupNamed(name);
    return group === undefined ? [] : [group];
  });
  return groups.length === 0 ? undefined : groups.flatMap(({ states: of }) => [...of]);
}

/** Whether a job in a state is one of those that a filter asks for, as far as its state tells. */
export function fitsState(filter: Filter | undefined, state: State): boolean {
  return filter === undefined || statesOf(filter)?.includes(state) !== false;
}

/**
 * Whether a job comes into a list when it gets into another state.
 * @param from undefined: that is not known; then only where it can have been no state of the list
 */
export function comesInto(filter: Filter, from: State | undefined, to: State): boolean {
  const states = statesOf(filter);
  if (states === undefined || isNarrow(filter) || !states.includes(to)) return false;
  if (from !== undefined) return !states.includes(from);
  return states.every((one) => one === to || isOver(one));
}

/** Whether a filter asks for more than states. */
export function isNarrow(filter: Filter): boolean {
  return filter.q.trim() !== '';
}

/** Filters are the same that ask for the same. */
export function keyOf(filter: Filter | undefined): string {
  return JSON.stringify(filter && [filter.states, filter.q, filter.sort]);
}

/** A filter of the same jobs, the last one first. */
export function upsideDown(filter: Filter): Filter {
  return { ...filter, sort: filter.sort === 'newest' ? 'oldest' : 'newest' };
}

/** A filter in words, for a list that is empty. */
export function inWords({ states, q }: Filter): string {
  const what = states.length === 0 ? 'jobs' : `${states.join(' or ')} jobs`;
  return q.trim() === '' ? what : `${what} with “${q.trim()}”`;
}

/** Words with blanks between; what stands in quotes is one. */
function wordsIn(text: string): readonly string[] {
  const found = text.matchAll(/((?:[^\s"]|"[^"]*"?)+)/g);
  return [...found].map(([word]) => word.replaceAll('"', '')).filter((word) => word !== '');
}
