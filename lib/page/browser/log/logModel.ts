import type { OutputLines, PmanClient } from '../../../client/index.ts';
import { CHUNK_LINES, LineStore } from './lineStore.ts';

/** How many lines one opens with. */
const FIRST_LINES = 200;
/**
 * From one request for news to the next, in milliseconds: soon while it comes, then later each time; not much later in the
 * one window that somebody is looking into. None waits for it at the server: a browser has few connections for all its
 * windows, and one that waits is taken from them.
 */
const NEWS_MS = 100;
const MOST_FOCUSED_NEWS_MS = 400;
const MOST_NEWS_MS = 2000;
/** From one try to reach pman to the next, in milliseconds; doubled each time. */
const RETRY_MS = 1000;
const MOST_RETRY_MS = 30_000;

/** Of a document: whether somebody sees it, and looks into it and no other. */
export interface Seen {
  readonly hidden: boolean;
  hasFocus(): boolean;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

/** What is known of a job's output: its lines as they are fetched, and what comes. Tells whoever shows it. */
export class LogModel {
  readonly #client: Pick<PmanClient, 'lines'>;
  readonly #id: string;
  readonly #seen: Seen;
  readonly #changed: () => void;
  readonly #stopper = new AbortController();
  #waiting = new AbortController();
  #quiet = new AbortController();
  #wanted: { readonly from: number; readonly to: number } | undefined;
  #isFetching = false;
  readonly lines = new LineStore();
  /** How many lines there are. */
  total = 0;
  /** How many bytes these have. */
  bytes = 0;
  hasEnded = false;
  /** Whether the server has read all that is there. */
  isWhole = false;
  /** Why nothing comes just now. */
  error: Error | undefined;
  /** Whether what comes is wanted at once, since the end is in view. */
  isFollowing = true;
  /** How many answers have come. */
  answers = 0;

  /**
   * @param id of the job
   * @param seen the document that shows it
   * @param changed is called when anything is another way
   */
  constructor(client: Pick<PmanClient, 'lines'>, id: string, seen: Seen, changed: () => void) {
    this.#client = client;
    this.#id = id;
    this.#seen = seen;
    this.#changed = changed;
  }

  /** Fetches the end, or what is around a line, and then what comes, until nothing more comes. */
  async run(line: number | undefined): Promise<void> {
    const { signal } = this.#stopper;
    const from = line === undefined ? -FIRST_LINES : Math.max(1, line - FIRST_LINES / 2);
    await this.#untilDone(() => this.#take({ from, count: FIRST_LINES }, signal));
    let pauseMs = NEWS_MS;
    while (!this.hasEnded && !signal.aborted) {
      if (this.#seen.hidden) await shown(this.#seen, signal);
      const before = this.bytes;
      await this.#untilDone(() => this.#news(pauseMs === NEWS_MS));
      if (this.hasEnded) return;
      const isQuiet = this.isWhole && this.bytes === before;
      const most = this.#seen.hasFocus() ? MOST_FOCUSED_NEWS_MS : MOST_NEWS_MS;
      pauseMs = isQuiet ? Math.min(2 * pauseMs, most) : NEWS_MS;
      this.#quiet = new AbortController();
      await pause(pauseMs, AbortSignal.any([signal, this.#quiet.signal]));
    }
  }

  /** Fetches these lines, unless they are there; the ones that were wanted last come first. */
  want(from: number, to: number): void {
    this.#wanted = { from: Math.max(1, from), to: Math.min(to, this.total) };
    void this.#fetch();
  }

  /** Asks for news at once: something has happened to the job. */
  hasten(): void {
    this.#quiet.abort();
  }

  /** Tries again at once. */
  again(): void {
    this.#waiting.abort();
  }

  close(): void {
    this.#stopper.abort();
    this.#waiting.abort();
  }

  /** @param isLikely whether there is some: else the lines of the end are asked for when there is */
  async #news(isLikely: boolean): Promise<void> {
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    const { bytes } = this;
    const count = this.isFollowing ? FIRST_LINES : 0;
    const from = -FIRST_LINES;
    await this.#take({ from, count: isLikely ? count : 0 }, signal);
    if (!isLikely && count > 0 && this.bytes > bytes) await this.#take({ from, count }, signal);
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      for (;;) {
        const { from, to } = this.#wanted ?? { from: 1, to: 0 };
        const missing = this.lines.missing(from, to);
        if (missing === undefined || this.#stopper.signal.aborted) return;
        const first = missing - ((missing - 1) % CHUNK_LINES);
        // A chunk of long lines comes in several answers.
        const begin = this.lines.missing(first, missing) ?? missing;
        const count = first + CHUNK_LINES - begin;
        await this.#take({ from: begin, count }, this.#stopper.signal);
        if (this.lines.get(begin) === undefined) return;
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isFetching = false;
    }
  }

  async #take(query: Parameters<PmanClient['lines']>[1], signal: AbortSignal): Promise<void> {
    this.#took(await this.#client.lines(this.#id, query, { signal }));
  }

  #took(answer: OutputLines): void {
    this.answers += 1;
    this.error = undefined;
    // Answers may overtake each other.
    const isOld = answer.bytes < this.bytes;
    if (isOld) this.lines.putOld(answer);
    else this.lines.put(answer);
    this.total = Math.max(this.total, answer.total);
    this.bytes = Math.max(this.bytes, answer.bytes);
    if (!isOld) this.isWhole = answer.whole;
    this.hasEnded ||= answer.ended;
    this.#changed();
  }

  async #untilDone(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopper;
    for (let retryMs = RETRY_MS; !signal.aborted; retryMs = Math.min(2 * retryMs, MOST_RETRY_MS)) {
      try {
        return await work();
      } catch (error) {
        if (this.#waiting.signal.aborted) return;
        this.#failed(error);
        this.#waiting = new AbortController();
        const again = AbortSignal.any([signal, this.#waiting.signal]);
        // What pman has refused it refuses again, until somebody has done something about it.
        await pause(isRefusal(error) ? undefined : retryMs, again);
      }
    }
  }

  #failed(error: unknown): void {
    if (this.#stopper.signal.aborted) return;
    this.error = error instanceof Error ? error : new Error(String(error));
    this.#changed();
  }
}

function isRefusal(error: unknown): boolean {
  const { status } = error instanceof Error ? (error as Error & { status?: unknown }) : {};
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 429;
}

/** Ends early when the signal is given; only then when there is no time. */
function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** Until the page is in view: what is not seen is not fetched. */
function shown(seen: Seen, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (seen.hidden && !signal.aborted) return;
      seen.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    seen.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}
