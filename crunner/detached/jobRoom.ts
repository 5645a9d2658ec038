import { ownOpenFiles } from '../../lib/host/inherited.ts';

/** What the runner and the copier have open without a job, and for a moment with one that starts. */
const WITHOUT_JOBS = 32;
/** What a job takes in the one that needs more, the copier: two pipes and two files. */
const EACH_JOB = 4;

/** How many jobs this process can run at once: what needs more files than it may open could not be started half-way. */
export function jobsByOpenFiles(openFiles = ownOpenFiles()): number {
  if (openFiles === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor((openFiles - WITHOUT_JOBS) / EACH_JOB));
}

/** Lets so many jobs in at a time, in the order in which they came; a job stays in from its first part to its last one. */
export class JobRoom {
  readonly #most: number;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#most = most;
  }

  /** One that has begun under another runner: it is there already. */
  enterAnyway(): void {
    this.#inside += 1;
  }

  /**
   * Waits for its turn.
   * @param giveUp is given what ends the waiting
   * @returns whether it is in; false when it has given up
   */
  async enter(giveUp: (stop: () => void) => void): Promise<boolean> {
    if (this.#inside < this.#most) {
      this.#inside += 1;
      return true;
    }
    return new Promise((resolve) => {
      const come = () => {
        this.#inside += 1;
        resolve(true);
      };
      this.#waiting.add(come);
      giveUp(() => {
        if (this.#waiting.delete(come)) resolve(false);
      });
    });
  }

  leave(): void {
    this.#inside -= 1;
    const [next] = this.#waiting;
    if (next === undefined || this.#inside >= this.#most) return;
    this.#waiting.delete(next);
    next();
  }
}
