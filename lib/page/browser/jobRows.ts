import type { JobEvent, JobQuery, PmanClient } from '../../client/index.ts';
import type { Filter } from './pagePlace.ts';
import { changeOf } from './rowChange.ts';
import { FIELDS, type Row, RowList } from './rowList.ts';
import { isNarrow, queryOf, statesOf } from './searchWords.ts';
import { isOver, type State } from './shown.ts';
import { type Counted, type Counts, StateCounts } from './stateCounts.ts';

interface RowPage extends Counted {
  readonly jobs: readonly Row[];
  readonly next: string | null;
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
/** More rows are let go when nobody is further down any more: each that comes would be one of a list without an end. */
const MOST_RESTING = 2000;
/** How long it takes until what has come is asked for: many jobs come together. In milliseconds. */
const SOON_MS = 250;

/**
 * The jobs of the list, as far as they have been loaded, and how many there are in each state. Events change rows in their
 * places, also while an answer is on its way that does not know them. Jobs that are new come in when nothing moves under
 * somebody's pointer; until then they are counted.
 */
export class JobRows {
  readonly #options: JobRowsOptions;
  readonly #later: (act: () => void, ms: number) => void;
  readonly #list = new RowList();
  readonly #counts = new StateCounts();
  /** States of jobs that are known, go on, and are not in the list. */
  readonly #others = new Map<string, State>();
  readonly #new = new Set<string>();
  #filter: Filter | undefined;
  /** Which filter the rows fit: not the newest one, as long as its answer is not there. */
  #shown: string | undefined;
  #next: string | null = null;
  #turn = 0;
  /** What has happened since the newest request for rows went out. */
  #heard: JobEvent[] = [];
  #isLoading = false;
  #isDue = false;
  #error: unknown;

  constructor(options: JobRowsOptions) {
    this.#options = options;
    this.#later = options.later ?? ((act, ms) => void setTimeout(act, ms));
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

  get hasMore(): boolean {
    return this.#next !== null;
  }

  get isLoading(): boolean {
    return this.#isLoading;
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
    return this.#error;
  }

  /** How many jobs have come that are not shown yet. */
  get news(): number {
    return this.#new.size;
  }

  /** How many jobs fit the filter, as far as the counts tell; as many as there are rows at least. */
  get total(): number {
    const states = this.#filter && statesOf(this.#filter);
    const counted = Object.entries(this.counts).reduce(
      (sum, [state, n]) => sum + (states === undefined || states.includes(state as State) ? n : 0),
      0,
    );
    return Math.max(counted, this.rows.length);
  }

  /**
   * Loads the first page of what fits a filter. What is shown stays until it is there.
   * @param anew whether nothing of what has been loaded before may stay
   * @returns the number of the newest event that it knows; undefined when another load has overtaken it
   * @throws PmanClientError as the request does
   */
  async load(filter: Filter, { anew = false } = {}): Promise<number | undefined> {
    this.#filter = filter;
    const query = { ...queryOf(filter), limit: FIRST_PAGE, counts: '1' } as const;
    const page = await this.#ask(query, (first) => {
      const isOther = this.#shown !== keyOf(filter);
      this.#shown = keyOf(filter);
      this.#new.clear();
      const rest = anew || isOther ? undefined : this.#restBehind(first);
      this.#list.set([...first.jobs, ...(rest ?? [])]);
      if (rest === undefined) this.#next = first.next;
    });
    return page?.event;
  }

  /** Loads what comes behind the last row. */
  async more(): Promise<void> {
    if (this.#filter === undefined || this.#next === null || this.#isLoading) return;
    const query = { ...queryOf(this.#filter), limit: LATER_PAGE, cursor: this.#next };
    await this.#ask(query, ({ jobs, next }) => {
      this.#list.add(jobs);
      this.#next = next;
    });
  }

  /** The row of a job, where it was loaded. */
  row(id: string): Row | undefined {
    return this.#list.get(id);
  }

  /** Takes in what has happened to a job. */
  apply(event: JobEvent): void {
    const { type, id, seq } = event;
    if (this.#isLoading) this.#heard.push(event);
    const row = this.#list.get(id);
    const before = row?.state ?? this.#others.get(id);
    if (type === 'accepted') {
      if (before !== undefined) return;
      this.#others.set(id, 'waiting');
      this.#tick(seq, undefined, 'waiting');
      if (this.#isShown('waiting')) this.#new.add(id);
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
        this.#tick(seq, before, change.state);
      }
    }
    this.#options.onChange();
  }

  /** What waits comes in, if it may; to be called when somebody has let go of the list. */
  settle(): void {
    const isMuch = this.rows.length > MOST_RESTING;
    if (isMuch || this.#new.size > 0 || this.rows.some(({ isGone }) => isGone)) this.#refreshSoon();
  }

  /** Loads the first page anew, whatever is pointed at. */
  refresh(): Promise<unknown> {
    return this.#filter === undefined ? Promise.resolve() : this.load(this.#filter);
  }

  #isShown(state: State): boolean {
    const filter = this.#filter;
    if (filter === undefined || isNarrow(filter)) return false;
    const states = statesOf(filter);
    return states === undefined || states.includes(state);
  }

  /** Asks for rows. Only the newest request counts: `take` puts its answer into the list. */
  async #ask(query: JobQuery, take: (page: RowPage) => void): Promise<RowPage | undefined> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#isLoading = true;
    this.#heard = [];
    this.#options.onChange();
    const counted = this.#counts.ask();
    let page: RowPage | undefined;
    try {
      const asked = { ...query, fields: FIELDS } as JobQuery;
      const answer: RowPage = await this.#options.client().jobPage(asked);
      if (turn !== this.#turn) return undefined;
      page = answer;
      this.#error = undefined;
      take(page);
      for (const { id } of page.jobs) this.#others.delete(id);
      this.#hearAgain(page.event);
      return page;
    } catch (error) {
      if (turn === this.#turn) this.#error = error;
      throw error;
    } finally {
      counted(page);
      if (turn === this.#turn) this.#isLoading = false;
      this.#options.onChange();
    }
  }

  /** An answer knows the events up to a number, and its rows nothing of what was heard meanwhile behind that. */
  #hearAgain(knownTo = 0): void {
    for (const event of this.#heard) {
      if (event.seq <= knownTo) continue;
      const row = this.#list.get(event.id);
      if (row === undefined) continue;
      if (event.type === 'removed') this.#remove(event.id);
      else this.#list.change(event.id, changeOf(event, row.state) ?? {});
    }
  }

  /** What has been loaded behind a first page and may stay; undefined where that is not known, or too much. */
  #restBehind({ jobs, next }: RowPage): readonly Row[] | undefined {
    const last = jobs.at(-1);
    const at = last === undefined ? undefined : this.#list.placeOf(last.id);
    if (at === undefined || next === null) return undefined;
    if (this.rows.length > MOST_RESTING && this.#options.mayMove()) return undefined;
    return this.rows.slice(at + 1).filter(({ isGone }) => isGone !== true);
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

  /** Asks how many there are, and leaves the rows as they are. */
  async #recount(filter: Filter): Promise<void> {
    const query = { ...queryOf(filter), limit: FIRST_PAGE, counts: '1', fields: ['id'] } as const;
    const counted = this.#counts.ask();
    let page: RowPage | undefined;
    try {
      const answer: RowPage = await this.#options.client().jobPage(query as JobQuery);
      if (keyOf(filter) === keyOf(this.#filter)) page = answer;
    } finally {
      counted(page);
    }
    for (const { id } of page?.jobs ?? []) {
      if (this.#list.get(id) === undefined && filter.sort === 'newest') this.#new.add(id);
    }
    this.#options.onChange();
  }
}

/** Filters are the same that ask for the same. */
function keyOf(filter: Filter | undefined): string {
  return JSON.stringify(filter && [filter.states, filter.q, filter.sort]);
}
