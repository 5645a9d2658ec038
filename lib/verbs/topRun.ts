import { constants } from 'node:os';
import type { Job } from '../client/index.ts';
import { messageOf } from '../errors.ts';
import { clockText } from '../terminal/wallClock.ts';
import { type FullScreen, openFullScreen } from './fullScreen.ts';
import { type Interrupt, onInterrupts } from './interrupts.ts';
import { shortId } from './jobText.ts';
import type { Session } from './session.ts';
import { arranged, fetchCounts, fetchTop, rowsOf, type TopData } from './topData.ts';
import { SORTS, type Sort, type TopRow, type TopView, topLines } from './topScreen.ts';
import type { VerbCall } from './verb.ts';

/** At most two drawings a second. */
const REDRAW_MS = 500;
const FETCH_MS = 1000;
const COUNT_MS = 15_000;
const HISTORY = 60;

/** What a question is about. */
interface Question {
  readonly text: string;
  readonly yes: () => Promise<string>;
}

/** `pman top` at work: what is shown, what keys change of it, and what is fetched meanwhile. */
export class Top {
  readonly #session: Session;
  readonly #call: VerbCall;
  readonly #stop = new AbortController();
  #screen: FullScreen | undefined;
  #data: TopData;
  #before: TopData | undefined;
  #counts = { failedToday: 0, jobsPerHour: 0 };
  #history: number[] = [];
  #rows: readonly TopRow[] = [];
  #sort: Sort = 'usual';
  #filter = '';
  #isFiltering = false;
  #onlyFailed = false;
  #selected: string | undefined;
  #note: string | undefined;
  #question: Question | undefined;
  #hasHelp = false;
  #lostAt: string | undefined;
  #drawTimer: NodeJS.Timeout | undefined;
  #drawnMs = 0;
  #end: (code: number) => void = () => {};
  /** Waits for any key, while another verb has the terminal. */
  #anyKey: (() => void) | undefined;
  /** What goes on when the terminal is given back. */
  #next: (() => Promise<number>) | undefined;

  constructor(session: Session, call: VerbCall, data: TopData) {
    this.#session = session;
    this.#call = call;
    this.#data = data;
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    const signals: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const stopListening = onInterrupts(signals, (signal) =>
      this.#end(signal === 'SIGINT' ? 0 : 128 + constants.signals[signal]),
    );
    const onResize = () => this.#show();
    const onContinue = () => {
      this.#open();
      this.#show();
    };
    process.stdout.on('resize', onResize);
    process.on('SIGCONT', onContinue);
    this.#open();
    this.#take(this.#data);
    const fetching = [
      this.#goOn(FETCH_MS, () => this.#fetch()),
      this.#goOn(COUNT_MS, () => this.#count()),
    ];
    let code: number;
    try {
      code = await ended;
    } finally {
      this.#stop.abort();
      clearTimeout(this.#drawTimer);
      this.#screen?.close();
      process.stdout.off('resize', onResize);
      process.off('SIGCONT', onContinue);
      stopListening();
      await Promise.all(fetching);
    }
    return this.#next === undefined ? code : this.#next();
  }

  #open(): void {
    this.#screen?.close();
    this.#screen = openFullScreen(this.#session.streams, (key) => this.#press(key));
  }

  /** Does something again and again, until the end. */
  async #goOn(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await work();
        this.#lostAt = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.#lostAt ??= clockText(Date.now());
        this.#note ??= messageOf(error);
      }
      this.#show();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        signal.addEventListener(
          'abort',
          () => {
            clearTimeout(timer);
            resolve();
          },
          { once: true },
        );
      });
    }
  }

  async #fetch(): Promise<void> {
    const { signal } = this.#stop;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
    const data = await fetchTop(this.#session, this.#onlyFailed, limited);
    if (this.#lostAt !== undefined) this.#note = undefined;
    this.#take(data);
  }

  async #count(): Promise<void> {
    this.#counts = await fetchCounts(this.#session, this.#stop.signal);
  }

  #take(data: TopData): void {
    this.#before = this.#data === data ? undefined : this.#data;
    this.#data = data;
    const rows = rowsOf(data, this.#before);
    if (!this.#onlyFailed) {
      this.#history.push(rows.reduce((sum, { cpus = 0 }) => sum + cpus, 0));
      this.#history = this.#history.slice(-HISTORY);
    }
    this.#rows = rows;
  }

  #nowMs(): number {
    const { facts, atMs } = this.#data;
    // The server's clock rules: that of this machine may be another one.
    return Date.parse(facts.startedAt) + facts.uptimeSeconds * 1000 + performance.now() - atMs;
  }

  #shown(): readonly TopRow[] {
    return arranged(this.#rows, { sort: this.#sort, filter: this.#filter, nowMs: this.#nowMs() });
  }

  /** Draws now, or as soon as it may. */
  #show(): void {
    if (this.#anyKey !== undefined || this.#stop.signal.aborted) return;
    const waitMs = this.#drawnMs + REDRAW_MS - performance.now();
    if (waitMs <= 0) {
      this.#draw();
      return;
    }
    this.#drawTimer ??= setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = undefined;
    this.#drawnMs = performance.now();
    const { streams, style, place } = this.#session;
    const rows = this.#shown();
    if (!rows.some(({ job }) => job.id === this.#selected)) this.#selected = rows[0]?.job.id;
    const view: TopView = {
      ...{ url: place.url, facts: this.#data.facts, ...this.#counts, rows },
      ...{ history: this.#history, sort: this.#sort, filter: this.#filter },
      ...{ isFiltering: this.#isFiltering, onlyFailed: this.#onlyFailed },
      ...{ selected: this.#selected, hasHelp: this.#hasHelp, lostAt: this.#lostAt },
      note: this.#question?.text ?? this.#note,
      nowMs: this.#nowMs(),
    };
    const { out, signs } = streams;
    const size = { columns: out.columns(), rows: out.rows() };
    this.#screen?.draw(topLines(view, size, { style, signs }));
  }

  #press(key: string): void {
    const anyKey = this.#anyKey;
    if (anyKey !== undefined) {
      anyKey();
      return;
    }
    if (key === '\u0003') this.#end(0);
    else if (key === '\u001a') this.#suspend();
    else if (this.#question !== undefined) this.#answer(this.#question, key);
    else if (this.#isFiltering) this.#type(key);
    else this.#command(key);
    this.#show();
  }

  #suspend(): void {
    this.#screen?.close();
    process.kill(process.pid, 'SIGSTOP');
  }

  #answer({ yes }: Question, key: string): void {
    this.#question = undefined;
    if (key !== 'y' && key !== 'Y') {
      this.#note = 'nothing was done';
      return;
    }
    yes().then(
      (said) => {
        this.#note = said;
        this.#show();
      },
      (error: unknown) => {
        this.#note = messageOf(error);
        this.#show();
      },
    );
  }

  #type(key: string): void {
    if (key === '\r' || key === '\n') this.#isFiltering = false;
    else if (key === '\u001b') {
      this.#isFiltering = false;
      this.#filter = '';
    } else if (key === '\u007f' || key === '\b')
      this.#filter = Array.from(this.#filter).slice(0, -1).join('');
    else if (key >= ' ' && !key.startsWith('\u001b')) this.#filter += key;
  }

  #command(key: string): void {
    this.#note = undefined;
    const job = this.#rows.find((row) => row.job.id === this.#selected)?.job;
    switch (key) {
      case 'q':
        this.#end(0);
        return;
      case 'j':
      case '\u001b[B':
      case '\u001bOB':
        this.#move(1);
        return;
      case 'k':
      case '\u001b[A':
      case '\u001bOA':
        this.#move(-1);
        return;
      case '/':
        this.#isFiltering = true;
        return;
      case '\u001b':
        this.#filter = '';
        this.#hasHelp = false;
        return;
      case '?':
        this.#hasHelp = !this.#hasHelp;
        return;
      case 's':
        this.#sort = SORTS[(SORTS.indexOf(this.#sort) + 1) % SORTS.length] ?? 'usual';
        return;
      case 'f':
        this.#onlyFailed = !this.#onlyFailed;
        this.#rows = [];
        void this.#fetch().then(
          () => this.#show(),
          () => undefined,
        );
        return;
      default:
        if (job !== undefined) this.#act(key, job);
    }
  }

  #move(by: number): void {
    const rows = this.#shown();
    const at = rows.findIndex(({ job }) => job.id === this.#selected);
    this.#selected = rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.job.id;
  }

  #act(key: string, job: Job): void {
    const { client } = this.#session;
    const id = shortId(job.id);
    switch (key) {
      case '\r':
      case '\n':
        void this.#aside(job);
        return;
      case 'l':
        this.#next = async () =>
          (await import('./showLogs.ts')).logs.run(this.#with(['-f', job.id]));
        this.#end(0);
        return;
      case 'K':
        this.#question = {
          text: `kill ${id}? [y/N]`,
          yes: async () => {
            await client.kill(job);
            return `${id} was sent TERM`;
          },
        };
        return;
      case 'R':
        this.#question = {
          text: `run ${id} again? [y/N]`,
          yes: async () => `${id} runs again as ${shortId((await client.rerun(job)).id)}`,
        };
        return;
      default:
    }
  }

  /** All about a job, on the usual screen, until a key is pressed. */
  async #aside(job: Job): Promise<void> {
    const pressed = new Promise<void>((resolve) => {
      this.#anyKey = resolve;
    });
    this.#screen?.close();
    try {
      await (await import('./show.ts')).show.run(this.#with([job.id]));
    } catch (error) {
      this.#session.streams.err.line(`pman: ${messageOf(error)}`);
    }
    const { out, input } = this.#session.streams;
    out.line(this.#session.style.dim('any key goes back'));
    const back = () => this.#anyKey?.();
    input.setRawMode?.(true);
    input.resume();
    input.once('data', back);
    await pressed;
    input.off('data', back);
    this.#anyKey = undefined;
    if (this.#stop.signal.aborted) return;
    this.#open();
    this.#draw();
  }

  #with(words: readonly string[]): VerbCall {
    return { ...this.#call, argv: [...this.#call.argv, ...words] };
  }
}
