import type { FindQuery, Job, PmanClient } from '../../../client/index.ts';
import type { LineRange } from '../pagePlace.ts';
import { textOf } from './ansi.ts';
import { type WholeLine, wholeLine } from './lineTexts.ts';
import { LogCopier } from './logCopier.ts';
import { LogFinder } from './logFinder.ts';
import { LogMarks } from './logMarks.ts';
import { LogModel } from './logModel.ts';
import { LogPane } from './logPane.ts';
import { LogProblem } from './logProblem.ts';
import type { RowContent } from './logRow.ts';
import { openOutput, type Way, type WhichOutput } from './openOutput.ts';
import { RowMap } from './rowMap.ts';
import { StderrLines } from './stderrLines.ts';
import { formAfter, type TimeForm, timeText } from './timeText.ts';

export interface ControlOptions {
  readonly client: PmanClient;
  /** As it stands by now. */
  readonly job: () => Job;
  readonly scroller: HTMLElement;
  /** Where hits are marked beside the scroll bar. */
  readonly marks: HTMLElement;
  readonly line: LineRange | undefined;
  /** Why pman can be asked for nothing more just now. */
  readonly off: () => string | undefined;
  readonly onChange: () => void;
  readonly onLine: (range: LineRange | undefined) => void;
  /** Puts a text where people can take it from, and says what it was. */
  readonly onCopy: (text: string, what: string) => void;
}

/** A log that is shown: what is known of it, its window, and what its user has asked for. */
export class LogControl {
  readonly #options: ControlOptions;
  readonly #id: string;
  readonly #stopper = new AbortController();
  readonly #marks: LogMarks;
  readonly #stderr: StderrLines;
  readonly #problem: LogProblem;
  readonly #copier: LogCopier;
  readonly model: LogModel;
  readonly pane: LogPane;
  readonly finder: LogFinder;
  #marked: LineRange | undefined;
  /** A line to go to once it is there. */
  #awaited: number | undefined;
  #anchor: number | undefined;
  #totalAtPause = 0;
  times: TimeForm = 'off';
  isWrapped = false;
  /** A line that was cut in the window, with all of it. */
  whole: WholeLine | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { client, job, scroller, line } = options;
    this.#id = job().id;
    this.#marked = line;
    this.#problem = new LogProblem(options.off);
    this.#marks = new LogMarks(options.marks);
    this.#awaited = line?.from;
    this.#anchor = line?.from;
    this.model = new LogModel(client, this.#id, document, () => this.changed());
    const find = (query: FindQuery, signal: AbortSignal) =>
      client.find(this.#id, query, { signal });
    this.finder = new LogFinder({
      find,
      total: () => this.model.total,
      stream: () => (this.hidesStderr ? 'stdout' : undefined),
      onChange: () => options.onChange(),
      onError: (error) => this.#failed(error),
    });
    this.#stderr = new StderrLines(find);
    const isShown = (number: number) => !this.hidesStderr || !this.#stderr.hits.has(number);
    const onCopy = (text: string, what: string) => options.onCopy(text, what);
    this.#copier = new LogCopier({ client, id: this.#id, isShown, onCopy });
    this.pane = new LogPane(scroller, {
      contentOf: (number) => this.#contentOf(number),
      onView: (from, to) => this.#viewed(from, to),
      onFollow: (isFollowing) => this.#followed(isFollowing),
      onCopy: (selected) => void this.#try((signal) => this.#copier.selected(selected, signal)),
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

  get hidesStderr(): boolean {
    return this.#stderr.isHidden;
  }

  /** Why something that was asked for could not be done; empty: it could. */
  get problem(): string {
    return this.#problem.text;
  }

  get hasMarked(): boolean {
    return this.#marked !== undefined;
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
    this.changed();
  }

  nextTimes(): void {
    this.times = formAfter(this.times);
    this.changed();
  }

  wrap(): void {
    this.isWrapped = !this.isWrapped;
    this.pane.setWrapped(this.isWrapped);
    this.changed();
  }

  /** Shows the lines of stderr, or does not. */
  async showStderr(isShown: boolean): Promise<void> {
    this.#stderr.isHidden = !isShown;
    this.#problem.text = '';
    // What is not shown is not found either.
    const found = this.finder.find(this.finder.typed);
    if (!isShown) await this.#knowStderr();
    this.changed();
    await found;
    this.changed();
  }

  /** Finds what was typed, and goes to a hit: to the first one in view or behind it, or to the next one of the same. */
  async find(typed: string, step: 1 | -1 = 1): Promise<void> {
    const { finder } = this;
    if (typed !== finder.typed || finder.hits.lines.length === 0) {
      if (this.#isOff()) return;
      this.#problem.text = '';
      await finder.find(typed);
      if (typed !== finder.typed) return;
    }
    await this.goToHit(step);
  }

  /** Goes to the next hit, or to the one before. */
  async goToHit(step: 1 | -1): Promise<void> {
    this.#show(await this.finder.go(step, () => this.pane.firstLine));
  }

  /** Goes to the next line of stderr, or to the one before. */
  async goToStderr(step: 1 | -1): Promise<void> {
    await this.#knowStderr();
    const { hits } = this.#stderr;
    this.#show(hits.go(step, hits.current ?? this.pane.firstLine));
  }

  /** Fetches all of a line that is cut in the window. */
  showWhole(line: number): Promise<void> {
    return this.#try(async (signal) => {
      this.whole = await wholeLine(this.#options.client, this.#id, line, signal);
    });
  }

  hideWhole(): void {
    this.whole = undefined;
    this.changed();
  }

  /** Opens what was written as it is, or saves it. */
  open(way: Way, which: WhichOutput): Promise<void> {
    const { client, job } = this.#options;
    return this.#try((signal) => openOutput({ client, job: job(), way, which, signal }));
  }

  /** Copies the lines that are marked, all of them, also those that were never in view. */
  copyMarked(): Promise<void> {
    return this.#try(async (signal) => {
      const range = this.#marked;
      if (range !== undefined) await this.#copier.lines(range, signal);
    });
  }

  /** pman can be asked again: what could not be done for that reason is no problem any more. */
  online(): void {
    if (this.#problem.online()) this.changed();
  }

  /** Something that is shown is another way. */
  changed(): void {
    // What was under way when the window was closed ends later.
    if (this.#stopper.signal.aborted) return;
    const { model, pane } = this;
    const { isHidden, hits } = this.#stderr;
    if (isHidden && model.total > hits.searched && this.problem === '') {
      void this.#knowStderr().then(() => this.changed());
    }
    // What is not known to be shown is not shown yet.
    const total = isHidden ? Math.min(model.total, hits.searched) : model.total;
    pane.setMap(new RowMap(total, isHidden ? hits.lines : []));
    if (this.#awaited !== undefined && this.#awaited <= total) {
      const line = this.#awaited;
      this.#awaited = undefined;
      this.#totalAtPause = model.total;
      pane.show(line, 'near');
    }
    this.#marks.draw(this.finder.hits.lines, model.total);
    pane.draw();
    this.#options.onChange();
  }

  close(): void {
    this.#stopper.abort();
    this.finder.close();
    this.#stderr.close();
    this.model.close();
    this.pane.close();
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
    this.changed();
  }

  async #knowStderr(): Promise<void> {
    if (this.model.total > this.#stderr.hits.searched && this.#isOff()) return;
    await this.#stderr.know(() => this.model.total).catch((error) => this.#failed(error));
  }

  /** Does what was asked for, and tells why not. */
  async #try(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#isOff()) return;
    try {
      await work(this.#stopper.signal);
    } catch (error) {
      this.#failed(error);
    }
    this.changed();
  }

  #isOff(): boolean {
    const isOff = this.#problem.isOff();
    if (isOff) this.changed();
    return isOff;
  }

  #failed(error: unknown): void {
    if (!this.#stopper.signal.aborted) this.#problem.failed(error);
  }

  #contentOf(number: number): RowContent {
    const shown = this.model.lines.shown(number);
    const spans = shown?.spans ?? [];
    const marked = this.#marked;
    return {
      number,
      line: shown?.line,
      spans,
      time: timeText(this.times, shown?.line.time, this.#options.job().startedAt),
      isMarked: marked !== undefined && number >= marked.from && number <= marked.to,
      hits: this.finder.rangesIn(number, {
        shown: textOf(spans),
        written: shown?.line.text ?? '',
        isCut: shown?.line.bytes !== undefined,
      }),
      isCurrentHit: number === this.finder.hits.current,
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
    this.changed();
    // The row is drawn anew, and a number that had the focus goes with it: keys are the log's all the same.
    this.#options.scroller.focus({ preventScroll: true });
    this.#options.onLine(range);
  }
}
