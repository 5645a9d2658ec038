import { PmanError } from '../errors.ts';
import { portableJson } from '../wire/portableJson.ts';
import type { LoggedEvent, NewEvent } from './event.ts';
import { ReadBatches } from './readBatches.ts';
import { Segments } from './segments.ts';

export interface EventLogOptions {
  readonly folder: string;
  /** How much is kept at most, in bytes; the file that is being written to always is. Default: 256 MiB. */
  readonly maxBytes?: number;
  /** For how long it is kept, in milliseconds; default: 7 days. A file goes when all of it is older. */
  readonly maxAgeMs?: number;
  /** The size from which on a new file is begun, in bytes; default: an eighth of what is kept, and at most 4 MiB. */
  readonly fileBytes?: number;
  /** How many of the newest events are held in memory, for those that follow. */
  readonly recent?: number;
  readonly now?: () => number;
}

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;
const BATCH = 512;

/**
 * What has happened to jobs, in order, with numbers that go on through restarts. An event is in its file before anybody is
 * told of it. Those who read it pull: one that is slow reads from the disk, and holds up neither others nor the memory.
 */
export class EventLog {
  readonly #options: Required<EventLogOptions>;
  readonly #segments: Segments;
  readonly #read = new ReadBatches();
  /** Wakes those that follow. */
  readonly #followers = new Set<() => void>();
  /** The newest events, without a gap. */
  #recent: LoggedEvent[] = [];
  /** What was given out of these since the last event, by the number before: the same array for all who want the same. */
  readonly #given = new Map<number, readonly LoggedEvent[]>();
  #isClosed = false;

  /** @throws the file system's error when the folder cannot be made or read */
  constructor(options: EventLogOptions) {
    const { maxBytes = 256 * MIB } = options;
    this.#options = {
      maxBytes,
      maxAgeMs: 7 * DAY_MS,
      fileBytes: Math.ceil(Math.min(4 * MIB, maxBytes / 8)),
      recent: 2048,
      now: Date.now,
      ...options,
    };
    this.#segments = new Segments(options.folder);
  }

  /** The number of the last event; 0 when there has never been one. */
  get newest(): number {
    return this.#segments.newest;
  }

  /** The number of the oldest event that is kept. */
  get oldest(): number {
    return this.#segments.oldest;
  }

  /** How many follow it now. */
  get followers(): number {
    return this.#followers.size;
  }

  /** What its files take on the disk. */
  get bytes(): number {
    return this.#segments.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Writes events down, then tells those that follow.
   * @throws the file system's error: none of them is written then, and the same may be tried again
   */
  append(events: readonly NewEvent[]): void {
    if (events.length === 0) return;
    const now = this.#options.now();
    const time = new Date(now).toISOString();
    let seq = this.newest;
    const logged = events.map((event): LoggedEvent => {
      seq += 1;
      const whole = { seq, time, ...event };
      return { event: whole, line: portableJson(whole) };
    });
    this.#segments.append(logged, this.#options.fileBytes, now);
    this.#recent.push(...logged);
    const { recent } = this.#options;
    if (this.#recent.length > 2 * recent) this.#recent = this.#recent.slice(-recent);
    this.#given.clear();
    this.#tell();
  }

  /** Removes what is older or more than is to be kept. */
  prune(): void {
    const { maxAgeMs, maxBytes, now } = this.#options;
    const limit = now() - maxAgeMs;
    this.#segments.dropWhile(({ writtenAt }, bytes) => bytes > maxBytes || writtenAt < limit);
  }

  /**
   * Some of the events behind a number, oldest first; none when there are no more.
   * @throws PmanError gone when the next one is no longer kept, or the number is none of this log: something was missed
   */
  readAfter(seq: number, most = BATCH): readonly LoggedEvent[] {
    if (seq > this.newest) {
      throw new PmanError('gone', `the events end with ${this.newest}: ${seq} is of another log`, {
        hint: `look at the jobs anew, and go on after ${this.newest}`,
      });
    }
    if (seq + 1 < this.oldest) {
      throw new PmanError('gone', `the events up to ${this.oldest - 1} are no longer kept`, {
        hint: `look at the jobs anew, and go on after ${this.oldest - 1}`,
      });
    }
    const inMemory = this.#recent[0]?.event.seq;
    if (inMemory === undefined || seq + 1 < inMemory) {
      const batch = this.#read.after(seq, this.newest, () => this.#segments.readAfter(seq, BATCH));
      return batch.length > most ? batch.slice(0, most) : batch;
    }
    const from = seq + 1 - inMemory;
    if (most !== BATCH) return this.#recent.slice(from, from + most);
    const given = this.#given.get(seq) ?? this.#recent.slice(from, from + most);
    this.#given.set(seq, given);
    return given;
  }

  /**
   * The events behind a number in the order in which they happened, each once, and then those that come, until the signal
   * is given or the log is closed.
   * @throws PmanError gone as readAfter does, also later, when the reader is too slow
   */
  async *follow(seq: number, signal: AbortSignal): AsyncGenerator<readonly LoggedEvent[]> {
    let after = seq;
    let wake: (() => void) | undefined;
    const told = () => wake?.();
    this.#followers.add(told);
    signal.addEventListener('abort', told);
    try {
      while (!signal.aborted && !this.#isClosed) {
        const events = this.readAfter(after);
        const last = events.at(-1);
        if (last === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        after = last.event.seq;
        yield events;
      }
    } finally {
      this.#followers.delete(told);
      signal.removeEventListener('abort', told);
    }
  }

  /** Ends what follows. */
  close(): void {
    this.#isClosed = true;
    this.#segments.close();
    this.#tell();
  }

  #tell(): void {
    for (const told of this.#followers) told();
  }
}
