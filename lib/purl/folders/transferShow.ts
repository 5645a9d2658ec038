import type { Writable } from 'node:stream';
import { barLine, plainLine, type Signs, shareOf, type TransferState } from './transferLine.ts';

/** What is told while files are moved. */
export interface TransferShow {
  /** What there is to move. Called again when it turns out to be another amount. */
  begin(total: { readonly files: number; readonly bytes: number }): void;
  /** How much of it is done, all in all. */
  at(done: { readonly files: number; readonly bytes: number }): void;
  /** A line that stays, such as a lost connection. */
  note(text: string): void;
  /** Nothing is drawn any more; the line that is redrawn goes. */
  end(): void;
}

export const silentShow: TransferShow = { begin() {}, at() {}, note() {}, end() {} };

/** Where it is told. */
export interface Terminal extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const REDRAW_MS = 200;
/** Nothing is said of what is over at once. */
const QUIET_MS = 1000;
const LINE_MS = 30_000;
const LINE_SHARE = 0.1;
/** The rate is that of the last seconds. */
const WINDOW_MS = 5000;

/** Measures what moves: rate and time left. */
export class Meter {
  readonly #now: () => number;
  #total = { files: 0, bytes: 0 };
  #done = { files: 0, bytes: 0 };
  readonly #marks: { readonly ms: number; readonly bytes: number }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(total: { readonly files: number; readonly bytes: number }): void {
    this.#total = total;
    if (this.#marks.length === 0) this.#marks.push({ ms: this.#now(), bytes: 0 });
  }

  at(done: { readonly files: number; readonly bytes: number }): void {
    // A try that begins anew does not count backwards.
    this.#done = { files: done.files, bytes: done.bytes };
    const ms = this.#now();
    const last = this.#marks.at(-1);
    if (last !== undefined && ms - last.ms < 100) return;
    this.#marks.push({ ms, bytes: done.bytes });
    while ((this.#marks[1]?.ms ?? ms) < ms - WINDOW_MS) this.#marks.shift();
  }

  state(): TransferState {
    const first = this.#marks[0];
    const seconds = first === undefined ? 0 : (this.#now() - first.ms) / 1000;
    const moved = Math.max(0, this.#done.bytes - (first?.bytes ?? 0));
    const bytesPerSecond = seconds > 0 ? moved / seconds : 0;
    const left = Math.max(0, this.#total.bytes - this.#done.bytes);
    return {
      bytes: this.#done.bytes,
      totalBytes: this.#total.bytes,
      files: this.#done.files,
      totalFiles: this.#total.files,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? left / bytesPerSecond : undefined,
    };
  }
}

/** One line that is drawn again at most five times a second. */
export function redrawnShow(
  terminal: Terminal,
  signs: Signs,
  now: () => number = () => performance.now(),
): TransferShow {
  const meter = new Meter(now);
  let drawnMs = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  const clear = () => {
    if (isDrawn) terminal.write('\r\x1b[K');
    isDrawn = false;
  };
  return {
    begin: (total) => meter.begin(total),
    at(done) {
      meter.at(done);
      if (now() - drawnMs < REDRAW_MS) return;
      drawnMs = now();
      terminal.write(`\r${barLine(meter.state(), terminal.columns ?? 80, signs)}\x1b[K`);
      isDrawn = true;
    },
    note(text) {
      clear();
      terminal.write(`${text}\n`);
    },
    end: clear,
  };
}

/** A line at each tenth, and each half minute. */
export function linesShow(
  out: Writable,
  now: () => number = () => performance.now(),
): TransferShow {
  const meter = new Meter(now);
  let begunMs: number | undefined;
  let saidMs = 0;
  let saidShare = 0;
  return {
    begin(total) {
      begunMs ??= now();
      saidMs = begunMs;
      meter.begin(total);
    },
    at(done) {
      meter.at(done);
      const state = meter.state();
      const share = shareOf(state);
      const isDue = share >= saidShare + LINE_SHARE || now() - saidMs >= LINE_MS;
      if (!isDue || share >= 1 || now() - (begunMs ?? 0) < QUIET_MS) return;
      saidMs = now();
      saidShare = Math.floor(share / LINE_SHARE) * LINE_SHARE;
      out.write(`${plainLine(state)}\n`);
    },
    note: (text) => void out.write(`${text}\n`),
    end() {},
  };
}

/** A line of JSON twice a second. */
export function jsonShow(out: Writable, now: () => number = () => performance.now()): TransferShow {
  const meter = new Meter(now);
  let saidMs = 0;
  return {
    begin: (total) => meter.begin(total),
    at(done) {
      meter.at(done);
      if (now() - saidMs < 500) return;
      saidMs = now();
      const { secondsLeft = null, ...state } = meter.state();
      const left = secondsLeft === null ? null : Math.round(secondsLeft * 10) / 10;
      const bytesPerSecond = Math.round(state.bytesPerSecond);
      const progress = { ...state, bytesPerSecond, secondsLeft: left };
      out.write(`${JSON.stringify({ progress })}\n`);
    },
    note: (text) => void out.write(`${JSON.stringify({ note: text })}\n`),
    end() {},
  };
}
