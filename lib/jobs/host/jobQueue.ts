import type { SpoolRequest } from '../../../crunner/detached/journal.ts';
import { WaitingLine } from './waitingLine.ts';

/** The jobs of this host that have not ended: those that wait for their turn, in order, and those that run. */
export class JobQueue {
  readonly #maxRunning: number;
  readonly #waiting = new WaitingLine();
  readonly #running = new Map<string, SpoolRequest>();
  readonly #ended = new Map<string, Array<() => void>>();

  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning;
  }

  /** Puts a job behind those that wait, also one that counted as running. */
  wait(root: string, request: SpoolRequest): void {
    this.#running.delete(root);
    this.#waiting.add(root, request);
  }

  /** Counts a job as running, whatever its turn: it has begun already. */
  run(root: string, request: SpoolRequest): void {
    this.#waiting.remove(root);
    this.#running.set(root, request);
  }

  /** Whether a job that comes now runs at once. */
  get hasRoom(): boolean {
    return this.#waiting.size === 0 && this.#running.size < this.#maxRunning;
  }

  /** Lets the first of those that wait run, and names it; undefined when none waits, or enough run. */
  next(): string | undefined {
    const { first } = this.#waiting;
    if (first === undefined || this.#running.size >= this.#maxRunning) return undefined;
    this.run(...first);
    return first[0];
  }

  /** A job has ended: whoever waits for that goes on. */
  end(root: string): void {
    this.#waiting.remove(root);
    this.#running.delete(root);
    for (const resolve of this.#ended.get(root) ?? []) resolve();
    this.#ended.delete(root);
  }

  /** Resolves when a job has ended; at once when it is none of these. */
  async ended(root: string): Promise<void> {
    if (!this.has(root)) return;
    await new Promise<void>((resolve) => {
      this.#ended.set(root, [...(this.#ended.get(root) ?? []), resolve]);
    });
  }

  /** Whether a job waits or runs. */
  has(root: string): boolean {
    return this.#running.has(root) || this.#waiting.has(root);
  }

  isWaiting(root: string): boolean {
    return this.#waiting.has(root);
  }

  /** What a running job is to run. */
  requestOf(root: string): SpoolRequest | undefined {
    return this.#running.get(root);
  }

  /** The place of a job among those that wait, from 1 on. */
  place(root: string): number | undefined {
    return this.#waiting.place(root);
  }

  /** The jobs that run. */
  get running(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** All of them, first those that wait. */
  get roots(): readonly string[] {
    return [...this.#waiting.roots, ...this.#running.keys()];
  }

  get counts(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: this.#waiting.size };
  }
}
