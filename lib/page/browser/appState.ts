import type { Job, JobEvent, PmanClient } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { Drafts, KeysInDoubt } from './drafts.ts';
import { namesOf } from './jobNames.ts';
import { JobRows } from './jobRows.ts';
import { keeperOf } from './keeper.ts';
import { ListScroll } from './listScroll.ts';
import { Live } from './live.ts';
import { addressOf, linkId, NO_FILTER, type Place, placeAt } from './pagePlace.ts';
import type { Question } from './question.ts';
import { restWhileHidden } from './restWhileHidden.ts';
import type { Named } from './rowList.ts';
import { ServerClock } from './serverClock.ts';
import { streamScript } from './stream/streamScript.ts';

/** Something that has been done or has failed, to be said once. */
export interface Notice {
  readonly kind: 'done' | 'failed';
  readonly text: string;
  /** What can be done about it. */
  readonly hint?: string | undefined;
}

/** What all parts of the page share: where it is, what it knows, and who is told when that changes. */
export class AppState {
  readonly rows: JobRows;
  readonly live: Live;
  readonly clock = new ServerClock();
  readonly scroll = new ListScroll();
  readonly drafts = new Drafts();
  readonly keysInDoubt = new KeysInDoubt();
  readonly #window: Window;
  readonly #listeners = new Set<() => void>();
  readonly #jobListeners = new Set<(event: JobEvent) => void>();
  #place: Place;
  #notice: Notice | undefined;
  #question: Question | undefined;
  #isDue = false;
  /** Whether somebody points at a row, has chosen one, or has scrolled down. */
  isHeld = false;
  /** The job that is open, once it is known. */
  shownJob: Job | undefined;
  /** The job that is open was removed meanwhile. */
  goneJob: Job | undefined;
  /** Jobs that are selected, by their ids, as they stood then. */
  selected: ReadonlyMap<string, Named> = new Map();

  constructor(window: Window) {
    this.#window = window;
    this.#place = placeAt(new URL(window.location.href));
    this.rows = new JobRows({
      client: () => this.live.client,
      mayMove: () => !this.isHeld && this.selected.size === 0,
      onChange: () => this.changed(),
      now: this.clock.now,
    });
    this.live = new Live({
      url: window.location.origin,
      storage: keeperOf(() => window.sessionStorage),
      fetch: this.clock.fetch,
      load: (how) => this.#load(how),
      onEvent: (event) => {
        this.rows.apply(event);
        for (const hear of this.#jobListeners) hear(event);
      },
      onChange: () => this.changed(),
      shared: streamScript(),
    });
    window.addEventListener('popstate', () => {
      this.#arrive(placeAt(new URL(window.location.href)));
    });
    restWhileHidden(window, this.live);
  }

  get place(): Place {
    return this.#place;
  }

  get client(): PmanClient {
    return this.live.client;
  }

  get notice(): Notice | undefined {
    return this.#notice;
  }

  /** What somebody is asked just now. */
  get question(): Question | undefined {
    return this.#question;
  }

  ask(question: Question | undefined): void {
    this.#question = question;
    this.changed();
  }

  /** Whether something can be done now. */
  get canAct(): boolean {
    const { kind } = this.live.contact;
    return kind === 'live' || kind === 'refused';
  }

  /** Why what needs the server is off; undefined: it is on. */
  get off(): string | undefined {
    return this.canAct ? undefined : 'Not connected';
  }

  /** Goes to another place; what is not named stays as it is. */
  go(change: Partial<Place>, how: 'push' | 'replace' = 'push'): void {
    const place = { ...this.#place, ...change };
    const address = addressOf(place);
    if (address === addressOf(this.#place)) return;
    if (how === 'push') this.#window.history.pushState(null, '', address);
    else this.#window.history.replaceState(null, '', address);
    this.#arrive(place);
  }

  /** The address of another place, for a link to it. */
  address(change: Partial<Place>): string {
    return addressOf({ ...this.#place, line: undefined, ...change });
  }

  openJob({ id }: Pick<Job, 'id'>): void {
    this.go({ view: 'job', id: linkId(id), line: undefined, tab: this.#place.tab });
  }

  /** Tells how the job stands that is open; undefined: none is. `isGone`: nothing can be done with it any more. */
  show(job: Job | undefined, isGone = false): void {
    this.shownJob = isGone ? undefined : job;
    this.goneJob = isGone ? job : undefined;
    this.changed();
  }

  say(notice: Notice | undefined): void {
    this.#notice = notice && { ...notice, text: terminalText(notice.text) };
    this.changed();
  }

  /** Says what failed, in the words of the server. */
  failed(what: string, error: unknown): void {
    this.live.noticed(error);
    const { message, hint } = error as { message?: string; hint?: string };
    this.say({ kind: 'failed', text: `${what}: ${message ?? String(error)}`, hint });
  }

  /** Selects these jobs, and no others. */
  select(jobs: readonly Named[]): void {
    this.selected = new Map(jobs.map((job) => [job.id, job]));
    this.changed();
    if (jobs.length === 0 && !this.isHeld) this.rows.settle();
  }

  /** Selects a job too, or does not any more. */
  toggle(job: Named): void {
    const others = [...this.selected.values()].filter(({ id }) => id !== job.id);
    this.select(this.selected.has(job.id) ? others : [...others, job]);
  }

  /** Selects all that fit the filter, unless something else is selected before these are known. */
  async selectAll(): Promise<void> {
    const { selected } = this;
    try {
      const names = await namesOf(
        this.client,
        { filter: this.place.filter, now: this.clock.now() },
        () => this.selected === selected,
      );
      if (names !== undefined) this.select(names);
    } catch (error) {
      this.failed('Not all of them could be selected', error);
    }
  }

  /** Sets whether the rows have to stay where they are. */
  hold(isHeld: boolean): void {
    if (this.isHeld === isHeld) return;
    this.isHeld = isHeld;
    if (!isHeld && this.selected.size === 0) this.rows.settle();
  }

  /** Calls back when something has changed, once for many changes. @returns what ends that */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Hears what happens to jobs. @returns what ends that */
  hear(listener: (event: JobEvent) => void): () => void {
    this.#jobListeners.add(listener);
    return () => void this.#jobListeners.delete(listener);
  }

  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      for (const listener of this.#listeners) listener();
    });
  }

  /** Loads the list as it is wanted now. @returns the newest event that it knows */
  async #load(how: { readonly anew: boolean }): Promise<number | undefined> {
    const { filter } = this.#place;
    const { ahead } = this.clock;
    const load = () => this.rows.load(filter, { ...how, mayStay: true });
    const known = await load();
    // With the first answer the time of the server is known, from which `since:` counts.
    return /\bsince:/.test(filter.q) && ahead !== this.clock.ahead ? load() : known;
  }

  #arrive(place: Place): void {
    const before = this.#place;
    this.#place = place;
    if (
      addressOf({ ...NO_PLACE, filter: place.filter }) !==
      addressOf({ ...NO_PLACE, filter: before.filter })
    ) {
      this.selected = new Map();
      // What was refused may be allowed for another filter.
      if (this.live.contact.kind === 'refused') this.live.start();
      else this.rows.load(place.filter).catch((error: unknown) => this.live.noticed(error));
    }
    this.changed();
  }
}

const NO_PLACE: Place = { view: 'jobs', tab: 'log', filter: NO_FILTER };
