import type { Writable } from 'node:stream';

/** Shows how a transfer gets on. `start` with the number of bytes to come, if it is known. */
export interface Progress {
  start(totalBytes: number | undefined, doneBytes?: number): void;
  add(bytes: number): void;
  stop(): void;
}

export const silentProgress: Progress = { start() {}, add() {}, stop() {} };

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A number of bytes for people: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A state of a transfer; `rate` in bytes a second. */
export interface ProgressState {
  readonly bytes: number;
  readonly total: number | undefined;
  readonly rate: number;
  readonly secondsLeft: number | undefined;
}

const BAR_WIDTH = 30;

/** One line for a terminal: bar, share, amount, rate and time left, as far as they are known. */
export function progressLine({ bytes, total, rate, secondsLeft }: ProgressState): string {
  const rateText = `${formatBytes(Math.round(rate))}/s`;
  if (total === undefined) return `${formatBytes(bytes)}  ${rateText}`;
  const share = total === 0 ? 1 : Math.min(1, bytes / total);
  const full = Math.round(BAR_WIDTH * share);
  const bar = '#'.repeat(full) + '-'.repeat(BAR_WIDTH - full);
  const left = secondsLeft === undefined ? '' : `  ${formatSeconds(secondsLeft)} left`;
  const amount = `${formatBytes(bytes)} of ${formatBytes(total)}`;
  return `[${bar}] ${Math.floor(share * 100)}%  ${amount}  ${rateText}${left}`;
}

/** Measures a transfer and hands its state on a few times a second. */
export class PacedProgress implements Progress {
  readonly #show: (state: ProgressState, done: boolean) => void;
  readonly #everyMs: number;
  readonly #now: () => number;
  #total: number | undefined;
  #bytes = 0;
  #before = 0;
  #startedMs = 0;
  #shownMs = 0;
  #running = false;

  constructor(
    show: (state: ProgressState, done: boolean) => void,
    everyMs: number,
    now: () => number = () => performance.now(),
  ) {
    this.#show = show;
    this.#everyMs = everyMs;
    this.#now = now;
  }

  start(totalBytes: number | undefined, doneBytes = 0): void {
    this.#total = totalBytes;
    this.#bytes = doneBytes;
    this.#before = doneBytes;
    this.#startedMs = this.#now();
    this.#shownMs = this.#startedMs;
    this.#running = true;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    const now = this.#now();
    if (now - this.#shownMs < this.#everyMs) return;
    this.#shownMs = now;
    this.#show(this.#state(), false);
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#show(this.#state(), true);
  }

  #state(): ProgressState {
    const seconds = (this.#now() - this.#startedMs) / 1000;
    const rate = seconds > 0 ? (this.#bytes - this.#before) / seconds : 0;
    const left = this.#total === undefined ? undefined : Math.max(0, this.#total - this.#bytes);
    const secondsLeft = left === undefined || rate === 0 ? undefined : left / rate;
    return { bytes: this.#bytes, total: this.#total, rate, secondsLeft };
  }
}

/** A bar that redraws itself on a terminal. */
export function terminalProgress(terminal: Writable): Progress {
  return new PacedProgress((state, done) => {
    terminal.write(`\r\x1b[K${progressLine(state)}${done ? '\n' : ''}`);
  }, 100);
}

/** A line of JSON twice a second. */
export function jsonProgress(out: Writable): Progress {
  return new PacedProgress((state, done) => {
    const { bytes, total = null, rate, secondsLeft } = state;
    const left = secondsLeft === undefined ? null : Math.round(secondsLeft * 10) / 10;
    const fields = { bytes, total, bytesPerSecond: Math.round(rate), secondsLeft: left, done };
    out.write(`${JSON.stringify({ progress: fields })}\n`);
  }, 500);
}
