import type { Job, JobEvent, JobQuery, PmanClient } from '../../client/index.ts';
import type { Filter } from './pagePlace.ts';
import { isNarrow, queryOf, statesOf } from './searchWords.ts';
import { GROUPS, type State } from './shown.ts';

/** What the list shows of a job. */
const FIELDS = [
  ...['id', 'jid', 'auid', 'command', 'state', 'exitCode', 'place'],
  ...['labels', 'backend', 'acceptedAt', 'startedAt', 'endedAt'],
] as const;

export type Row = Pick<
  Job,
  | 'id'
  | 'jid'
  | 'auid'
  | 'command'
  | 'state'
  | 'exitCode'
  | 'place'
  | 'labels'
  | 'backend'
  | 'acceptedAt'
  | 'startedAt'
  | 'endedAt'
> & { readonly isGone?: true };

export type Counts = Readonly<Partial<Record<State, number>>>;

interface RowPage {
  readonly jobs: readonly Row[];
  readonly next: string | null;
  readonly counts?: Counts | undefined;
  readonly event?: number | undefined;
}

export interface JobRowsOptions {
  readonly client: () => Pick<PmanClient, 'jobPage'>;
  /** Whether rows may change their places now: nobody points at one or has chosen one. */
  readonly mayMove: () => boolean;
  readonly onChange: () => void;
  /** Calls back later; default: a timer. Tests have their own. */
  readonly later?: (act: () => void, ms: number) => void;
}

const FIRST_PAGE = 100;
const LATER_PAGE = 500;
/** How long it takes until what has come is asked for: many jobs come together. In milliseconds. */
const SOON_MS = 250;

/**
 * The jobs of the list, as far as they have been loaded, and how many there are in each state. Events change rows in their
 * places. Jobs that are new come in when nothing moves under somebody's pointer; until then they are counted.
 */
export class JobRows {
  readonly #options: JobRowsOptions;
  readonly #later: (act: () => void, ms: number) => void;
  readonly #byId = new Map<string, number>();
  /** States of jobs that are known and not in the list. */
  readonly #others = new Map<string, State>();
  readonly #new = new Set<string>();
  #rows: readonly Row[] = [];
  #filter: Filter | undefined;
  #next: string | null = null;
  #counts: Counts = {};
  #turn = 0;
  #isLoading = false;
  #isFirst = true;
  #isDue = false;
  #error: unknown;

  constructor(options: JobRowsOptions) {
    this.#options = options;
    this.#later = options.later ?? ((act, ms) => void setTimeout(act, ms));
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  get counts(): Counts {
    return this.#counts;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Whether nothing has been loaded yet. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Why the last request failed; undefined when it did not. */
  get error(): unknown {
    return this.#error;
  }

  /** How many jobs have come that are not shown yet. */
  get news(): number {
    return this.#new.size;
  }

  /** How many jobs fit the filter, as far as the counts tell. */
  get total(): number {
    const states = this.#filter && statesOf(this.#filter);
    return Object.entries(this.#counts).reduce(
      (sum, [state, n]) => sum + (states === undefined || states.includes(state as State) ? n : 0),
      0,
    );
  }

  /**
   * Loads the first page of what fits a filter. What is shown stays until it is there.
   * @param anew whether nothing of what has been loaded before may stay
   * @returns the number of the newest event that it knows; undefined when another load has overtaken it
   * @throws PmanClientError as the request does
   */
  async load(filter: Filter, { anew = false } = {}): Promise<number | undefined> {
    const isOther = keyOf(this.#filter) !== keyOf(filter);
    this.#filter = filter;
    const page = await this.#page({ ...this.#query(), limit: FIRST_PAGE, counts: '1' });
    if (page === undefined) return undefined;
    this.#isFirst = false;
    this.#new.clear();
    this.#counts = page.counts ?? {};
    const fresh = page.jobs;
    const last = fresh.at(-1);
    const known = last === undefined ? undefined : this.#byId.get(last.id);
    // What had been loaded behind it stays.
    const isKept = !anew && !isOther && known !== undefined && page.next !== null;
    const seen = new Set(fresh.map(({ id }) => id));
    const rest = isKept
      ? this.#rows.slice(known + 1).filter(({ id, isGone }) => !isGone && !seen.has(id))
      : [];
    this.#setRows([...fresh, ...rest]);
    if (!isKept) this.#next = page.next;
    this.#options.onChange();
    return page.event;
  }

  /** Loads what comes behind the last row. */
  async more(): Promise<void> {
    if (this.#next === null || this.#isLoading) return;
    const page = await this.#page({ ...this.#query(), limit: LATER_PAGE, cursor: this.#next });
    if (page === undefined) return;
    const added = page.jobs.filter(({ id }) => !this.#byId.has(id));
    for (const [i, { id }] of added.entries()) this.#byId.set(id, this.#rows.length + i);
    this.#rows = [...this.#rows, ...added];
    this.#next = page.next;
    this.#options.onChange();
  }

  /** Takes in what has happened to a job. */
  apply({ type, id, time, data = {} }: JobEvent): void {
    const at = this.#byId.get(id);
    const row = at === undefined ? undefined : this.#rows[at];
    const before = row?.state ?? this.#others.get(id);
    switch (type) {
      case 'accepted':
        if (before !== undefined) return;
        this.#others.set(id, 'waiting');
        this.#tick(undefined, 'waiting');
        if (this.#isShown('waiting')) this.#new.add(id);
        this.#refreshSoon();
        break;
      case 'waiting':
        this.#change(at, { place: numberIn(data.place) });
        break;
      case 'started':
        if (data.part === 0 || before === 'waiting' || before === 'starting') {
          this.#become(id, at, before, 'running', {
            place: null,
            ...(data.part === 0 && { startedAt: time }),
          });
        }
        break;
      case 'ended':
        this.#become(id, at, before, data.state as State, {
          ...{ place: null, endedAt: time, exitCode: worstOf(data.exitCodes) },
        });
        break;
      case 'removed':
        this.#others.delete(id);
        if (row?.isGone === true) return;
        this.#new.delete(id);
        this.#tick(before, undefined);
        if (at !== undefined && row !== undefined) {
          if (this.#options.mayMove()) this.#setRows(this.#rows.filter((one) => one.id !== id));
          else this.#change(at, { isGone: true });
        }
        break;
      case 'part_ended':
      case 'kill_ordered':
      case 'output':
        return;
    }
    this.#options.onChange();
  }

  /** What waits comes in, if it may; to be called when somebody has let go of the list. */
  settle(): void {
    if (this.#new.size > 0 || this.#rows.some(({ isGone }) => isGone)) this.#refreshSoon();
  }

  /** Loads the first page anew, whatever is pointed at. */
  refresh(): Promise<unknown> {
    return this.#filter === undefined ? Promise.resolve() : this.load(this.#filter);
  }

  #query(): JobQuery {
    const filter = this.#filter;
    if (filter === undefined) return {};
    const state = statesOf(filter);
    return { ...queryOf(filter), ...(state !== undefined && { state }) };
  }

  #isShown(state: State): boolean {
    const filter = this.#filter;
    if (filter === undefined || isNarrow(filter)) return false;
    const states = statesOf(filter);
    return states === undefined || states.includes(state);
  }

  async #page(query: JobQuery): Promise<RowPage | undefined> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#isLoading = true;
    this.#options.onChange();
    try {
      const asked = { ...query, fields: FIELDS } as JobQuery;
      const page: RowPage = await this.#options.client().jobPage(asked);
      if (turn !== this.#turn) return undefined;
      this.#error = undefined;
      return page;
    } catch (error) {
      if (turn === this.#turn) this.#error = error;
      throw error;
    } finally {
      if (turn === this.#turn) this.#isLoading = false;
      this.#options.onChange();
    }
  }

  #setRows(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#byId.clear();
    for (const [i, { id }] of rows.entries()) {
      this.#byId.set(id, i);
      this.#others.delete(id);
    }
  }

  #change(at: number | undefined, members: Partial<Row>): void {
    const row = at === undefined ? undefined : this.#rows[at];
    if (at === undefined || row === undefined) return;
    // A copy for each event would be a copy of a list of 100,000: the row alone is another one.
    (this.#rows as Row[])[at] = { ...row, ...members };
  }

  #become(
    id: string,
    at: number | undefined,
    from: State | undefined,
    to: State,
    more: Partial<Row>,
  ) {
    if (at === undefined && from !== undefined) this.#others.set(id, to);
    this.#change(at, { ...more, state: to });
    this.#tick(from, to);
  }

  /** Counts a change. Where it is not known what the job was, or whether it fits, the server is asked. */
  #tick(from: State | undefined, to: State | undefined): void {
    if (from === to) return;
    const isExact = this.#filter !== undefined && !isNarrow(this.#filter);
    if (!isExact || (from === undefined && to !== 'waiting')) {
      this.#refreshSoon();
      return;
    }
    const counts = { ...this.#counts };
    if (from !== undefined) counts[from] = Math.max(0, (counts[from] ?? 0) - 1);
    if (to !== undefined) counts[to] = (counts[to] ?? 0) + 1;
    this.#counts = counts;
  }

  #refreshSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => {
      this.#isDue = false;
      const filter = this.#filter;
      if (filter === undefined) return;
      const asked = this.#options.mayMove() ? this.load(filter) : this.#recount();
      // Whoever follows the events notices that the server is away.
      asked.catch(() => undefined);
    }, SOON_MS);
  }

  /** Asks how many there are, and leaves the rows as they are. */
  async #recount(): Promise<void> {
    const filter = this.#filter;
    if (filter === undefined) return;
    const page: RowPage = await this.#options
      .client()
      .jobPage({ ...this.#query(), limit: FIRST_PAGE, counts: '1', fields: ['id'] } as JobQuery);
    if (keyOf(filter) !== keyOf(this.#filter)) return;
    this.#counts = page.counts ?? {};
    for (const { id } of page.jobs) {
      if (!this.#byId.has(id) && filter.sort === 'newest') this.#new.add(id);
    }
    this.#options.onChange();
  }
}

/** Filters are the same that ask for the same. */
function keyOf(filter: Filter | undefined): string {
  return JSON.stringify(filter && [filter.states, filter.q, filter.sort]);
}

/** The exit code that tells how a job ended: the first that is not 0. */
function worstOf(codes: unknown): number | null {
  if (!Array.isArray(codes) || codes.length === 0) return null;
  const bad = codes.find((code) => code !== 0);
  return bad === undefined ? 0 : numberIn(bad);
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** How many jobs there are in each group, in their order. */
export function groupCounts(counts: Counts): readonly number[] {
  return GROUPS.map(({ states }) => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0));
}
