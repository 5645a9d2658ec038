import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { clockText } from '../terminal/wallClock.ts';
import { type FullScreen, openFullScreen } from './fullScreen.ts';
import { type Interrupt, onInterrupts } from './interrupts.ts';
import type { Session } from './session.ts';
import {
  arranged,
  fetchCounts,
  fetchTop,
  rowsOf,
  type TopCounts,
  type TopData,
} from './topData.ts';
import { followLogs, type Question, questionOf, showAside } from './topDeeds.ts';
import { isControl, pressed, type TopOrder } from './topKeys.ts';
import { FIRST_CHOICE, type TopChoice, type TopRow, topLines } from './topScreen.ts';
import type { VerbCall } from './verb.ts';

/** At most two drawings a second. */
const REDRAW_MS = 500;
const FETCH_MS = 1000;
/** How long an answer is waited for. */
const ANSWER_MS = 10_000;
const COUNT_MS = 15_000;
const HISTORY = 60;

/** `pman top` at work: fetches what is shown, draws it, and has done what keys ask for. */
export class Top {
  readonly #session: Session;
  readonly #call: VerbCall;
  readonly #stop = new AbortController();
  /** Undefined while something else has the terminal. */
  #screen: FullScreen | undefined;
  #data: TopData;
  #rows: readonly TopRow[];
  #counts: TopCounts;
  #history: number[] = [];
  #choice: TopChoice = FIRST_CHOICE;
  #question: Question | undefined;
  /** What came of the last question. */
  #said: string | undefined;
  /** Since when the server does not answer, and why. */
  #lost: { readonly at: string; readonly why: string } | undefined;
  #drawTimer: NodeJS.Timeout | undefined;
  #drawnMs = 0;
  #end: (code: number) => void = () => {};
  /** What goes on when the terminal is given back. */
  #next: (() => Promise<number>) | undefined;

  constructor(session: Session, call: VerbCall, data: TopData, counts: TopCounts) {
    this.#counts = counts;
    this.#session = session;
    this.#call = call;
    this.#data = data;
    this.#rows = rowsOf(data, undefined);
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
    // Whoever had the terminal meanwhile has left something else on it.
    const onContinue = () => {
      if (this.#screen !== undefined) this.#open();
    };
    process.stdout.on('resize', onResize);
    process.on('SIGCONT', onContinue);
    this.#open();
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
    this.#draw();
  }

  /** Does something again and again, until the end. */
  async #goOn(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await work();
        this.#lost = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.#lost = { at: this.#lost?.at ?? clockText(Date.now()), why: messageOf(error) };
      }
      this.#show();
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #fetch(): Promise<void> {
    const { onlyFailed } = this.#choice;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ANSWER_MS)]);
    const data = await fetchTop(this.#session, onlyFailed, signal);
    // Others are wanted by now, and asked for.
    if (onlyFailed !== this.#choice.onlyFailed) return;
    this.#rows = rowsOf(data, this.#data);
    this.#data = data;
    if (onlyFailed) return;
    const cpus = this.#rows.reduce((sum, row) => sum + (row.cpus ?? 0), 0);
    this.#history = [...this.#history, cpus].slice(-HISTORY);
  }

  async #count(): Promise<void> {
    this.#counts = await fetchCounts(this.#session, this.#stop.signal);
  }

  #nowMs(): number {
    const { facts, atMs } = this.#data;
    // The server's clock rules: that of this machine may be another one.
    return Date.parse(facts.startedAt) + facts.uptimeSeconds * 1000 + performance.now() - atMs;
  }

  #shown(): readonly TopRow[] {
    return arranged(this.#rows, { ...this.#choice, nowMs: this.#nowMs() });
  }

  /** Draws now, or as soon as it may. */
  #show(): void {
    if (this.#stop.signal.aborted) return;
    const waitMs = this.#drawnMs + REDRAW_MS - performance.now();
    if (waitMs <= 0) this.#draw();
    else this.#drawTimer ??= setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = undefined;
    this.#drawnMs = performance.now();
    const rows = this.#shown();
    const { selected } = this.#choice;
    if (!rows.some(({ job }) => job.id === selected))
      this.#choice = { ...this.#choice, selected: rows[0]?.job.id };
    const { streams, style, place } = this.#session;
    const { out, signs } = streams;
    const view = {
      ...{ url: place.url, facts: this.#data.facts, ...this.#counts, rows },
      ...{ history: this.#history, ...this.#choice, nowMs: this.#nowMs() },
      note: this.#question?.text ?? this.#said ?? this.#lost?.why,
      lostAt: this.#lost?.at,
    };
    const size = { columns: out.columns(), rows: out.rows() };
    this.#screen?.draw(topLines(view, size, { style, signs }));
  }

  #press(key: string): void {
    if (this.#question !== undefined && !isControl(key)) this.#answer(this.#question, key);
    else this.#command(key);
    this.#show();
  }

  #command(key: string): void {
    const before = this.#choice;
    const jobs = this.#shown().map(({ job }) => job);
    const { choice, order } = pressed(before, key, jobs);
    this.#said = undefined;
    this.#choice = choice;
    if (choice.onlyFailed !== before.onlyFailed) this.#fetchOthers();
    if (order !== undefined) this.#obey(order);
  }

  /** At once, and again in a while when that does not work out. */
  #fetchOthers(): void {
    this.#rows = [];
    this.#fetch().then(
      () => this.#show(),
      () => undefined,
    );
  }

  #answer({ yes }: Question, key: string): void {
    this.#question = undefined;
    const say = (text: string) => {
      this.#said = text;
      this.#show();
    };
    if (key === 'y' || key === 'Y') yes().then(say, (error: unknown) => say(messageOf(error)));
    else say('nothing was done');
  }

  #obey(order: TopOrder): void {
    switch (order.kind) {
      case 'quit':
        this.#end(0);
        return;
      case 'suspend':
        // The shell's until it has this go on.
        this.#screen?.close();
        process.kill(process.pid, 'SIGSTOP');
        return;
      case 'show':
        void this.#aside(() => showAside(this.#session, this.#call, order.job, this.#stop.signal));
        return;
      case 'logs':
        this.#next = () => followLogs(this.#call, order.job);
        this.#end(0);
        return;
      case 'kill':
      case 'rerun':
        this.#question = questionOf(this.#session, order.kind, order.job);
    }
  }

  /** Leaves the usual screen to something for a while. */
  async #aside(work: () => Promise<void>): Promise<void> {
    this.#screen?.close();
    this.#screen = undefined;
    await work();
    if (!this.#stop.signal.aborted) this.#open();
  }
}
