import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a save keeps the process to itself at a time, in milliseconds. */
const SLICE_MS = 5;
/** How long it then leaves it to others: when they keep it busy or no job has ended, and when not; milliseconds. */
const LONG_PAUSE_MS = 100;
const SHORT_PAUSE_MS = 10;
/** The same while jobs end one after the other: they take both processors, most of it outside of this process. */
const RUSH_PAUSE_MS = 1000;
/** So many jobs a second are one after the other. */
const RUSH = 100;
/** The share of a pause that others have to use to count as busy. */
const BUSY = 0.5;

/**
 * With more records to be written than this of jobs that have ended, a save makes no pauses: a start after a kill reads as many
 * journals (docs/decisions/0042). Those of others stay in memory anyway.
 */
const MANY = 10_000;
/** With so many more it keeps the process to itself for twice as long, and so on, so that jobs come in no faster than they go. */
const MORE = 1000;
const MOST_SLICES = 20;

/** What a save that nobody waits for has before it. */
export interface Backlog {
  /** It makes no pauses, but lets others have their turns. */
  readonly isUrgent: boolean;
  /** How many records of jobs that have ended there are. */
  readonly ended: number;
}

/**
 * When records are written that nobody waits for: in short slices when there is time, in few while many jobs end. What a
 * record says is in the journal of its job until then. To write one takes as long as to run its job, and a thousand jobs
 * that come together are not to wait for that (docs/decisions/0042).
 */
export class WritePace {
  #sliceEnd = 0;
  #pauseMs = LONG_PAUSE_MS;
  #ended = 0;

  /** A job has ended. */
  jobEnded(): void {
    this.#ended += 1;
  }

  /** A save begins. */
  begin(): void {
    this.#sliceEnd = performance.now() + SLICE_MS;
    this.#pauseMs = LONG_PAUSE_MS;
  }

  /** Whether it is others' turn. */
  get isOver(): boolean {
    return performance.now() >= this.#sliceEnd;
  }

  /** Resolves when it is the save's turn again. */
  async pause(backlog: () => Backlog): Promise<void> {
    const until = performance.now() + RUSH_PAUSE_MS;
    while ((await this.#look(backlog)) && performance.now() < until);
    const slices = 1 + Math.max(0, backlog().ended - MANY) / MORE;
    this.#sliceEnd = performance.now() + SLICE_MS * Math.min(slices, MOST_SLICES);
  }

  /** Whether, after a pause, jobs still end one after the other. */
  async #look(backlog: () => Backlog): Promise<boolean> {
    const pauseMs = isUrgent(backlog()) ? 0 : this.#pauseMs;
    const [endedBefore, before] = [this.#ended, performance.eventLoopUtilization()];
    await sleep(pauseMs);
    const now = backlog();
    const { utilization } = performance.eventLoopUtilization(before);
    const isRush = (this.#ended - endedBefore) * 1000 > RUSH * pauseMs;
    // Where no job has ended, nothing comes of haste: what waits stays in memory and in the spool.
    const isLong = isRush || utilization > BUSY || now.ended === 0;
    this.#pauseMs = isLong ? LONG_PAUSE_MS : SHORT_PAUSE_MS;
    return isRush && !isUrgent(now);
  }
}

const isUrgent = (backlog: Backlog) => backlog.isUrgent || backlog.ended > MANY;
