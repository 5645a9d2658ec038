import { GROUPS, type Group, groupNamed } from './shown.ts';

/** Where in the page somebody is: all of it stands in the address, so that a link shows what its sender saw. */
export interface Place {
  readonly view: 'jobs' | 'job' | 'new' | 'server';
  /** The job that is open. */
  readonly id?: string | undefined;
  readonly tab: Tab;
  /** The lines of the log that are marked. */
  readonly line?: LineRange | undefined;
  readonly filter: Filter;
}

export interface LineRange {
  readonly from: number;
  readonly to: number;
}

/** What the list shows. */
export interface Filter {
  /** Names of groups of states; empty: all. */
  readonly states: readonly string[];
  /** As it was typed. */
  readonly q: string;
  readonly sort: 'newest' | 'oldest';
}

export const TABS = ['log', 'parts', 'record'] as const;
export type Tab = (typeof TABS)[number];

export const NO_FILTER: Filter = { states: [], q: '', sort: 'newest' };

/** The place that an address names; what it does not understand it leaves out. */
export function placeAt({
  pathname,
  search,
  hash,
}: Pick<URL, 'pathname' | 'search' | 'hash'>): Place {
  const asked = new URLSearchParams(search);
  const filter: Filter = {
    states: statesIn(asked.get('state') ?? ''),
    q: asked.get('q') ?? '',
    sort: asked.get('sort') === 'oldest' ? 'oldest' : 'newest',
  };
  const tab = TABS.find((name) => name === asked.get('tab')) ?? 'log';
  const id = /^\/ui\/jobs\/([^/]+)\/?$/.exec(pathname)?.[1];
  if (id !== undefined) {
    return { view: 'job', id: decoded(id), tab, line: lineIn(hash), filter };
  }
  if (/^\/ui\/server\/?$/.test(pathname)) return { view: 'server', tab, filter };
  if (/^\/ui\/new\/?$/.test(pathname)) return { view: 'new', tab, filter };
  return { view: 'jobs', tab, filter };
}

/** Names of groups, also where the state of a job is named, as the API does, or written large. */
function statesIn(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  const groups = names.map((name) => {
    const isOf = ({ states }: Group) => states.some((state) => state === name);
    return (groupNamed(name) ?? GROUPS.find(isOf))?.name ?? name;
  });
  return [...new Set(groups)].filter((name) => name !== '');
}

/** The address of a place. */
export function addressOf({ view, id, tab, line, filter }: Place): string {
  const asked = new URLSearchParams();
  if (filter.states.length > 0) asked.set('state', filter.states.join(','));
  if (filter.q !== '') asked.set('q', filter.q);
  if (filter.sort !== 'newest') asked.set('sort', filter.sort);
  if (view === 'job' && tab !== 'log') asked.set('tab', tab);
  const query =
    asked.size === 0 ? '' : `?${asked.toString().replaceAll('%2C', ',').replaceAll('%3A', ':')}`;
  const hash = view === 'job' && line !== undefined ? hashOf(line) : '';
  const path = {
    jobs: '/ui',
    job: `/ui/jobs/${encodeURIComponent(id ?? '')}`,
    new: '/ui/new',
    server: '/ui/server',
  }[view];
  return path + query + hash;
}

function hashOf({ from, to }: LineRange): string {
  return from === to ? `#L${from}` : `#L${from}-L${to}`;
}

function lineIn(hash: string): LineRange | undefined {
  const [, first, last = first] = /^#L(\d{1,12})(?:-L(\d{1,12}))?$/.exec(hash) ?? [];
  if (first === undefined) return undefined;
  const [from, to] = [Number(first), Number(last)];
  return { from: Math.min(from, to), to: Math.max(from, to) };
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece; // no such job: the server says so
  }
}

/** Whether a job is what a name in an address means: its id, or the beginning of the uuid in it. */
export function isCalled(id: string, name: string | undefined): boolean {
  return name !== undefined && (id === name || id.slice(id.indexOf('_') + 1).startsWith(name));
}

/** What of an id stands in an address: 8 digits of its uuid, which 100,000 jobs seldom share; else the server says so. */
export function linkId(id: string): string {
  return id.slice(id.indexOf('_') + 1, id.indexOf('_') + 9);
}
