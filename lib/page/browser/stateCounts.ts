import { GROUPS, type State } from './shown.ts';

export type Counts = Readonly<Partial<Record<State, number>>>;

/** What the server has counted, and the newest event that it knew when it did. */
export interface Counted {
  readonly counts?: Counts | undefined;
  readonly event?: number | undefined;
  readonly serverStartedAt?: string | undefined;
}

/** A job that was in one state and is in another; undefined: it was not there, or is no more. */
interface Move {
  /** The number of the event that has told it. */
  readonly seq: number;
  readonly from: State | undefined;
  readonly to: State | undefined;
}

/**
 * How many jobs there are in each state: what the server has counted, and what has happened since. An answer may come later
 * than events that it does not know, and earlier than events that it knows: each counts once.
 */
export class StateCounts {
  #counts: Counts = {};
  #serverStartedAt: string | undefined;
  #knownTo = 0;
  #asked = 0;
  /** What has happened since somebody has asked. */
  #moves: Move[] = [];

  get all(): Counts {
    return this.#counts;
  }

  /** Since when the server runs that has counted; undefined while none has. */
  get serverStartedAt(): string | undefined {
    return this.#serverStartedAt;
  }

  /** How many there are in some states, or in all. */
  sum(states: readonly State[] | undefined): number {
    return Object.entries(this.#counts).reduce(
      (sum, [state, n]) => sum + (states?.includes(state as State) === false ? 0 : n),
      0,
    );
  }

  /** The server is asked. @returns what takes its answer; undefined: there is none */
  ask(): (counted: Counted | undefined) => void {
    this.#asked += 1;
    return (counted) => {
      this.#asked -= 1;
      this.#serverStartedAt = counted?.serverStartedAt ?? this.#serverStartedAt;
      if (counted?.counts !== undefined) this.#take(counted.counts, counted.event);
      if (this.#asked === 0) this.#moves = [];
    };
  }

  /** Whether the server knew of an event when it counted. */
  knows(seq: number): boolean {
    return seq <= this.#knownTo;
  }

  move(move: Move): void {
    if (this.#asked > 0) this.#moves.push(move);
    if (!this.knows(move.seq)) this.#apply(move);
  }

  #take(counts: Counts, event = Number.POSITIVE_INFINITY): void {
    this.#counts = counts;
    if (!Number.isFinite(event)) return;
    this.#knownTo = event;
    for (const move of this.#moves) if (!this.knows(move.seq)) this.#apply(move);
  }

  #apply({ from, to }: Move): void {
    const counts = { ...this.#counts };
    if (from !== undefined) counts[from] = Math.max(0, (counts[from] ?? 0) - 1);
    if (to !== undefined) counts[to] = (counts[to] ?? 0) + 1;
    this.#counts = counts;
  }
}

/** How many jobs there are in each group, in their order. */
export function groupCounts(counts: Counts): readonly number[] {
  return GROUPS.map(({ states }) => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0));
}
