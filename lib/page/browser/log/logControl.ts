import type { FindQuery, Job, PmanClient } from '../../../client/index.ts';
import { textOf } from './ansi.ts';
import { LogMarks } from './logMarks.ts';
import { LogModel } from './logModel.ts';
import { LogPane } from './logPane.ts';
import type { RowContent } from './logRow.ts';
import { Hits, MOST_HITS, type Query, queryIn, rangesIn } from './logSearch.ts';
import { openOutput } from './openOutput.ts';
import { RowMap } from './rowMap.ts';
import { type TimeForm, timeText } from './timeText.ts';

export interface LineRange {
  readonly from: number;
  readonly to: number;
}

export interface ControlOptions {
  readonly client: PmanClient;
  readonly job: Job;
  readonly scroller: HTMLElement;
  /** Where hits are marked beside the scroll bar. */
  readonly marks: HTMLElement;
  readonly line: LineRange | undefined;
  readonly onChange: () => void;
  readonly onLine: (range: LineRange | undefined) => void;
}

/** How many lines of stderr are asked for at once. */
const MOST_STDERR = 100_000;
/** Of a line that was cut so much is fetched at most, in bytes. */
const WHOLE_BYTES = 4 * 1024 * 1024;
const TIME_FORMS: readonly TimeForm[] = ['off', 'clock', 'since'];

/** A log that is shown: what is known of it, its window, and what its user has asked for. */
export class LogControl {
  readonly #options: ControlOptions;
  readonly #stopper = new AbortController();
  readonly #marks: LogMarks;
  readonly model: LogModel;
  readonly pane: LogPane;
  #marked: LineRange | undefined;
  /** A line to go to once it is there. */
  #awaited: number | undefined;
  #anchor: number | undefined;
  #search = new AbortController();
  #query: Query | undefined;
  #stderr = new Hits();
  #isHiding = false;
  #isFindingStderr = false;
  #totalAtPause = 0;
  times: TimeForm = 'off';
  isWrapped = false;
  hits = new Hits();
  isSearching = false;
  /** Why nothing could be found. */
  problem = '';
  /** A line that was cut in the window, with all of it. */
  whole: { readonly line: number; readonly text: string } | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { client, job, scroller, line } = options;
    this.#marked = line;
    this.#marks = new LogMarks(options.marks);
    this.#awaited = line?.from;
    this.#anchor = line?.from;
    this.model = new LogModel(client, job, () => this.#changed());
    this.pane = new LogPane(scroller, {
      contentOf: (number) => this.#contentOf(number),
      onView: (from, to) => this.#viewed(from, to),
      onFollow: (isFollowing) => this.#followed(isFollowing),
    });
    if (line !== undefined) this.pane.pause();
    const { signal } = this.#stopper;
    scroller.addEventListener('click', (event) => this.#clicked(event), { signal });
    void this.model.run(line?.from);
  }

  get isFollowing(): boolean {
    return this.pane.isFollowing;
  }

  /** How many lines have come since the window stands still. */
  get newLines(): number {
    return this.isFollowing ? 0 : this.model.total - this.#totalAtPause;
  }

  get typed(): string {
    return this.#query?.typed ?? '';
  }

  get hidesStderr(): boolean {
    return this.#isHiding;
  }

  follow(): void {
    this.pane.follow();
  }

  /** Has keys scroll the window. */
  focus(): void {
    this.#options.scroller.focus();
  }

  /** Marks lines, as an address names them. */
  mark(range: LineRange | undefined): void {
    if (range?.from === this.#marked?.from && range?.to === this.#marked?.to) return;
    this.#marked = range;
    this.#anchor = range?.from;
    this.#awaited = range?.from;
    this.#changed();
  }

  nextTimes(): void {
    this.times = TIME_FORMS[(TIME_FORMS.indexOf(this.times) + 1) % TIME_FORMS.length] ?? 'off';
    this.#changed();
  }

  wrap(): void {
    this.isWrapped = !this.isWrapped;
    this.pane.setWrapped(this.isWrapped);
    this.#changed();
  }

  /** Shows the lines of stderr, or does not. */
  async showStderr(isShown: boolean): Promise<void> {
    this.#isHiding = !isShown;
    if (this.#isHiding) await this.#findStderr();
    this.#changed();
  }

  /** Finds what was typed; goes to the first hit in view or behind it. */
  async find(typed: string): Promise<void> {
    if (typed === this.typed && this.hits.lines.length > 0) return this.goToHit(1);
    this.#search.abort();
    this.#search = new AbortController();
    this.#query = queryIn(typed);
    this.hits = new Hits();
    this.problem = '';
    if (this.#query !== undefined) await this.#findMore();
    if (this.hits.lines.length > 0) await this.goToHit(1);
    this.#changed();
  }

  /** Goes to the next hit, or to the one before. */
  async goToHit(step: 1 | -1): Promise<void> {
    const { hits } = this;
    const isLast = step === 1 && hits.place === hits.lines.length;
    if (isLast && hits.searched < this.model.total && this.#query !== undefined) {
      await this.#findMore();
    }
    this.#show(hits.go(step, this.pane.firstLine));
  }

  /** Goes to the next line of stderr, or to the one before. */
  async goToStderr(step: 1 | -1): Promise<void> {
    await this.#findStderr();
    this.#show(this.#stderr.go(step, this.#stderr.current ?? this.pane.firstLine));
  }

  /** Fetches all of a line that is cut in the window. */
  async showWhole(line: number): Promise<void> {
    const { client, job } = this.#options;
    const query = { from: line, count: 1, lineBytes: WHOLE_BYTES };
    try {
      const { lines } = await client.lines(job.id, query, { signal: this.#stopper.signal });
      this.whole = { line, text: lines[0]?.text ?? '' };
    } catch (error) {
      this.#failed(error);
    }
    this.#changed();
  }

  /** Opens what was written to stdout as it is, or saves it. */
  open(way: 'raw' | 'save'): void {
    const { client, job } = this.#options;
    openOutput(client, job, way).catch((error: unknown) => {
      this.#failed(error);
      this.#options.onChange();
    });
  }

  hideWhole(): void {
    this.whole = undefined;
    this.#changed();
  }

  /** The text of the lines that are marked, as far as it is known; undefined when none are. */
  markedText(): string | undefined {
    if (this.#marked === undefined) return undefined;
    const { from, to } = this.#marked;
    const texts: string[] = [];
    for (let line = from; line <= to; line += 1) {
      texts.push(textOf(this.model.lines.shown(line)?.spans ?? []));
    }
    return texts.join('\n');
  }

  close(): void {
    this.#stopper.abort();
    this.#search.abort();
    this.model.close();
    this.pane.close();
  }

  #changed(): void {
    const { model, pane } = this;
    if (this.#isHiding && model.total > this.#stderr.searched && this.problem === '') {
      void this.#findStderr().then(() => this.#changed());
    }
    const hidden = this.#isHiding ? this.#stderr.lines : [];
    // What is not known to be shown is not shown yet.
    const total = this.#isHiding ? Math.min(model.total, this.#stderr.searched) : model.total;
    pane.setMap(new RowMap(total, hidden));
    if (this.#awaited !== undefined && this.#awaited <= total) {
      const line = this.#awaited;
      this.#awaited = undefined;
      this.#totalAtPause = model.total;
      pane.show(line, 'near');
    }
    this.#marks.draw(this.hits.lines, model.total);
    pane.draw();
    this.#options.onChange();
  }

  #followed(isFollowing: boolean): void {
    this.model.isFollowing = isFollowing;
    this.#totalAtPause = this.model.total;
    // Whoever goes to the end does not wait for a line.
    if (isFollowing) this.#awaited = undefined;
    this.#options.onChange();
  }

  #viewed(from: number, to: number): void {
    this.model.lines.forget(from, to);
    this.model.want(from, to);
  }

  #show(line: number | undefined): void {
    if (line !== undefined) this.pane.show(line, 'near');
    this.#changed();
  }

  async #findMore(): Promise<void> {
    const query = this.#query?.query;
    if (query === undefined) return;
    this.isSearching = true;
    this.#options.onChange();
    await this.#look({ ...query, limit: MOST_HITS }, this.hits, this.#search.signal);
    this.isSearching = false;
  }

  /** Learns which lines are of stderr, of all that are there. */
  async #findStderr(): Promise<void> {
    if (this.#isFindingStderr) return;
    this.#isFindingStderr = true;
    const { signal } = this.#stopper;
    const query = { stream: 'stderr' as const, limit: MOST_STDERR };
    let isFine = true;
    while (isFine && this.#stderr.searched < this.model.total) {
      isFine = await this.#look(query, this.#stderr, signal);
    }
    this.#isFindingStderr = false;
  }

  /** Looks behind what was looked at; says whether that went well. */
  async #look(query: FindQuery, hits: Hits, signal: AbortSignal): Promise<boolean> {
    const { client, job } = this.#options;
    try {
      hits.add(await client.find(job.id, { ...query, from: hits.searched + 1 }, { signal }));
      return true;
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    if (!this.#stopper.signal.aborted) this.problem = error instanceof Error ? error.message : '';
  }

  #contentOf(number: number): RowContent {
    const shown = this.model.lines.shown(number);
    const spans = shown?.spans ?? [];
    // The server has looked at these lines with it in time: so does the page.
    const isHit = this.#query !== undefined && this.hits.has(number);
    const marked = this.#marked;
    return {
      number,
      line: shown?.line,
      spans,
      time: timeText(this.times, shown?.line.time, this.#options.job.startedAt),
      isMarked: marked !== undefined && number >= marked.from && number <= marked.to,
      hits: isHit ? rangesIn(textOf(spans), this.#query?.expression) : [],
      isCurrentHit: number === this.hits.current,
    };
  }

  #clicked(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const line = Number(target?.closest<HTMLElement>('.log-row')?.dataset.line);
    if (target?.closest('.log-more') != null) void this.showWhole(line);
    if (target?.closest('.log-number') == null || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = event.shiftKey ? (this.#anchor ?? line) : line;
    this.#anchor = from;
    const range = { from: Math.min(from, line), to: Math.max(from, line) };
    this.#marked = range;
    this.#changed();
    this.#options.onLine(range);
  }
}
