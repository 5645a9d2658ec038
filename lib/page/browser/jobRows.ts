import type { JobEvent, JobQuery } from '../../client/index.ts';
import { FIRST_PAGE } from './firstList.ts';
import { NewJobs } from './newJobs.ts';
import type { Filter } from './pagePlace.ts';
import { QueuePlaces } from './queuePlaces.ts';
import { changeOf } from './rowChange.ts';
import { type Row, RowList } from './rowList.ts';
import { RowLoader } from './rowLoader.ts';
import type { JobRowsOptions, LoadOptions, RowPage } from './rowRequests.ts';
import { takeIn, type View, wantedRows } from './rowWindow.ts';
import {
  comesInto,
  fitsState,
  isNarrow,
  keyOf,
  queryOf,
  statesOf,
  upsideDown,
} from './searchWords.ts';
import { isOver, type State } from './shown.ts';
import { type Counts, StateCounts } from './stateCounts.ts';

/** How long it takes until what has come is asked for: many jobs come together. In milliseconds. */
const SOON_MS = 250;

/**
 * The jobs of the list around those that are seen, and how many there are in each state. Events change rows in their places,
 * also while an answer is on its way that does not know them. Jobs that are new come in when nothing moves under somebody's
 * pointer; until then they are counted.
 */
export class JobRows {
  readonly #options: JobRowsOptions;
  readonly #later: (act: () => void, ms: number) => void;
  readonly #list = new RowList();
  readonly #counts = new StateCounts();
  /** States of jobs that are known, go on, and are not in the list. */
  readonly #others = new Map<string, State>();
  readonly #new = new NewJobs();
  readonly #now: () => number;
  readonly #places: QueuePlaces;
  readonly #loader: RowLoader;
  #filter: Filter | undefined;
  /** Which filter the rows fit: not the newest one, as long as its answer is not there. */
  #shown: string | undefined;
  #isDue = false;

  constructor(options: JobRowsOptions) {
    this.#options = options;
    this.#later = options.later ?? ((act, ms) => void setTimeout(act, ms));
    this.#now = options.now ?? Date.now;
    this.#places = new QueuePlaces({
      ...{ ...options, later: this.#later, now: this.#now },
      ...{ list: this.#list, filter: () => this.#filter },
    });
    this.#loader = new RowLoader({
      ...{ ...options, counts: this.#counts },
      again: (event) => this.#hearAgain(event),
    });
  }

  get rows(): readonly Row[] {
    return this.#list.all;
  }

  /** Another number whenever a row is another one, or others are there. */
  get version(): number {
    return this.#list.version;
  }

  get counts(): Counts {
    return this.#counts.all;
  }

  /** How many rows of the list are before those that are loaded. */
  get start(): number {
    return this.#list.start;
  }

  /** How many rows the list has: those that are loaded, before them, and behind them. */
  get length(): number {
    const end = this.start + this.rows.length;
    return this.#list.hasMore ? Math.max(end + 1, this.total - this.news) : end;
  }

  /** Since when the server runs; undefined while that is not known. */
  get serverStartedAt(): string | undefined {
    return this.#counts.serverStartedAt;
  }

  get isLoading(): boolean {
    return this.#loader.isLoading;
  }

  /** Whether nothing has been loaded yet. */
  get isFirst(): boolean {
    return this.#shown === undefined;
  }

  /** Names the filter that the rows fit. */
  get shown(): string | undefined {
    return this.#shown;
  }

  /** Why the last request failed; undefined when it did not. */
  get error(): unknown {
    return this.#loader.error;
  }

  /** How many jobs have come that are not shown yet. */
  get news(): number {
    return this.#new.size;
  }

  /** How many jobs fit the filter, as far as the counts tell; as many as there are such rows at least. */
  get total(): number {
    const states = this.#filter && statesOf(this.#filter);
    return Math.max(this.#counts.sum(states), this.rows.length - this.#over.length);
  }

  /**
   * Loads the first page of what fits a filter. What is shown stays until it is there.
   * @returns the number of the newest event that it knows; undefined when another load has overtaken it
   * @throws PmanClientError as the request does
   */
  async load(
    filter: Filter,
    { anew = false, mayStay = false }: LoadOptions = {},
  ): Promise<number | undefined> {
    this.#filter = filter;
    const isOther = this.#shown !== keyOf(filter);
    if (mayStay && !anew && !isOther && this.start > 0) return this.#recount(filter);
    const query = { ...this.#queryOf(filter), limit: FIRST_PAGE, counts: '1' } as const;
    const page = await this.#ask(query, (first) => {
      this.#shown = keyOf(filter);
      // Of those that come into a list of some states, some may belong between the rows behind.
      const isMixed = this.#new.size > 0 && statesOf(filter) !== undefined;
      const rest = anew || isOther || isMixed ? undefined : this.#restBehind(first);
      this.#new.topIs(first.jobs.map(({ id }) => id));
      const hasMore = rest === undefined ? first.next !== null : this.#list.hasMore;
      this.#list.set([...first.jobs, ...(rest ?? [])], { hasMore });
    });
    return page?.event;
  }

  /**
   * Has the rows loaded that are seen, and some around them; to be called when others are seen, and when some have come.
   * @throws PmanClientError as a request does
   */
  async see(view: View): Promise<void> {
    if (this.#filter === undefined || this.isFirst || this.isLoading) return;
    const wanted = wantedRows(view, this.#list, this.length);
    if (wanted === undefined) return;
    const query = {
      ...this.#queryOf(wanted.isReversed ? upsideDown(this.#filter) : this.#filter),
      ...wanted.query,
    };
    await this.#ask(query, (page) => {
      const isTop = takeIn(this.#list, wanted, page);
      if (isTop) this.#new.topIs(this.rows.map(({ id }) => id));
      // The list is shorter than it was when it was counted.
      if (this.rows.length === 0) this.#refreshSoon();
    });
  }

  /** The row of a job, where it was loaded. */
  row(id: string): Row | undefined {
    return this.#list.get(id);
  }

  /** The place in the whole list of a job that is loaded. */
  placeOf(id: string): number | undefined {
    const at = this.#list.placeOf(id);
    return at === undefined ? undefined : this.start + at;
  }

  /** Takes in what has happened to a job. */
  apply(event: JobEvent): void {
    const { type, id, seq } = event;
    this.#loader.heard(event);
    const row = this.#list.get(id);
    const before = row?.state ?? this.#others.get(id);
    if (type === 'accepted') {
      if (before !== undefined) return;
      this.#others.set(id, 'waiting');
      this.#tick(seq, undefined, 'waiting');
      this.#comes(id);
      this.#refreshSoon();
    } else if (type === 'removed') {
      this.#others.delete(id);
      if (row?.isGone === true) return;
      this.#new.delete(id);
      this.#tick(seq, before, undefined);
      this.#remove(id);
    } else {
      const change = changeOf(event, before);
      if (change === undefined) return;
      this.#list.change(id, change);
      if (change.state !== undefined) {
        if (isOver(change.state)) this.#others.delete(id);
        else if (row === undefined) this.#others.set(id, change.state);
        this.#fits(seq, id, before, change.state);
        this.#tick(seq, before, change.state);
      }
    }
    this.#places.heard(event);
    this.#options.onChange();
  }

  /** What waits comes in, if it may; to be called when somebody has let go of the list. */
  settle(): void {
    if (this.#new.size > 0 || this.#over.length > 0) this.#refreshSoon();
  }

  /** Loads the first page anew, whatever is pointed at. */
  refresh(): Promise<unknown> {
    return this.#filter === undefined ? Promise.resolve() : this.load(this.#filter);
  }

  /** Rows that are where they were for whoever needs them there, and fit no more. */
  get #over(): readonly Row[] {
    const states = this.#filter && statesOf(this.#filter);
    return this.rows.filter(({ isGone, state }) => isGone || states?.includes(state) === false);
  }

  #queryOf(filter: Filter): JobQuery {
    return queryOf(filter, this.#now());
  }

  /** A job is in another state: it may come into the list by that, or not fit any more. Its row stays for now. */
  #fits(seq: number, id: string, from: State | undefined, to: State): void {
    const filter = this.#filter;
    if (filter === undefined) return;
    const isIn = this.#list.get(id) !== undefined;
    if (!fitsState(filter, to)) {
      this.#new.delete(id);
      if (isIn && this.#options.mayMove()) this.#refreshSoon();
    } else if (!isIn && comesInto(filter, from, to) && !this.#counts.knows(seq)) {
      this.#new.add(id);
      this.#refreshSoon();
    }
  }

  /** A job is new. Where it is known to fit, it stands before all others, or behind them. */
  #comes(id: string): void {
    const filter = this.#filter;
    if (filter === undefined || isNarrow(filter)) return;
    if (statesOf(filter)?.includes('waiting') === false) return;
    if (filter.sort === 'newest') this.#new.add(id);
    else this.#list.growsAtEnd();
  }

  /** Asks for rows: `take` puts the answer into the list. */
  #ask(query: JobQuery, take: (page: RowPage) => void): Promise<RowPage | undefined> {
    return this.#loader.ask(query, (page) => {
      take(page);
      for (const { id } of page.jobs) this.#others.delete(id);
    });
  }

  /** An answer's rows know nothing of what was heard meanwhile. */
  #hearAgain(event: JobEvent): void {
    const row = this.#list.get(event.id);
    if (row === undefined) return;
    if (event.type === 'removed') this.#remove(event.id);
    else this.#list.change(event.id, changeOf(event, row.state) ?? {});
  }

  /** What has been loaded behind a first page and may stay; undefined where that is not known, or too much. */
  #restBehind({ jobs, next }: RowPage): readonly Row[] | undefined {
    const last = jobs.at(-1);
    const at = last === undefined ? undefined : this.#list.placeOf(last.id);
    if (at === undefined || next === null) return undefined;
    const over = new Set(this.#over);
    return this.rows.slice(at + 1).filter((row) => !over.has(row));
  }

  #remove(id: string): void {
    if (this.#options.mayMove()) this.#list.remove(id);
    else this.#list.change(id, { isGone: true });
  }

  /** Counts a change. Where it is not known what the job was, or whether it fits, the server is asked. */
  #tick(seq: number, from: State | undefined, to: State | undefined): void {
    if (from === to || this.#counts.knows(seq)) return;
    const isExact = this.#filter !== undefined && !isNarrow(this.#filter);
    if (isExact && (from !== undefined || to === 'waiting')) this.#counts.move({ seq, from, to });
    else this.#refreshSoon();
  }

  #refreshSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => {
      this.#isDue = false;
      const filter = this.#filter;
      if (filter === undefined) return;
      const asked = this.#options.mayMove() ? this.load(filter) : this.#recount(filter);
      // Whoever follows the events notices that the server is away.
      asked.catch(() => undefined);
    }, SOON_MS);
  }

  /** Asks how many there are, and leaves the rows as they are. @returns the newest event that was counted with */
  async #recount(filter: Filter): Promise<number | undefined> {
    const isWanted = () => keyOf(filter) === keyOf(this.#filter);
    const page = await this.#loader.recount(this.#queryOf(filter), isWanted);
    if (page !== undefined && filter.sort === 'newest') {
      const ids = page.jobs.map(({ id }) => id);
      this.#new.seen(ids, page.next === null && this.start === 0);
    }
    this.#options.onChange();
    return page?.event;
  }
}
