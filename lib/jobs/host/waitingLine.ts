import type { SpoolRequest } from '../../../crunner/detached/journal.ts';

interface Waiting {
  readonly ticket: number;
  readonly request: SpoolRequest;
}

/** Jobs that wait for their turn. The place of one is found without a look at all that are before it. */
export class WaitingLine {
  readonly #jobs = new Map<string, Waiting>();
  /** Those of the jobs, in order. */
  readonly #tickets: number[] = [];
  #lastTicket = 0;

  get size(): number {
    return this.#jobs.size;
  }

  /** All of them, in order. */
  get roots(): IterableIterator<string> {
    return this.#jobs.keys();
  }

  has(root: string): boolean {
    return this.#jobs.has(root);
  }

  /** The first of them; undefined when none waits. */
  get first(): readonly [string, SpoolRequest] | undefined {
    const [first] = this.#jobs;
    return first && [first[0], first[1].request];
  }

  /** Puts a job behind the others; one that waits keeps its place. */
  add(root: string, request: SpoolRequest): void {
    const known = this.#jobs.get(root);
    if (known !== undefined) {
      this.#jobs.set(root, { ticket: known.ticket, request });
      return;
    }
    this.#lastTicket += 1;
    this.#jobs.set(root, { ticket: this.#lastTicket, request });
    this.#tickets.push(this.#lastTicket);
  }

  remove(root: string): void {
    const place = this.place(root);
    if (place === undefined) return;
    this.#jobs.delete(root);
    if (place === 1) this.#tickets.shift();
    else this.#tickets.splice(place - 1, 1);
  }

  /** From 1 on. */
  place(root: string): number | undefined {
    const ticket = this.#jobs.get(root)?.ticket;
    if (ticket === undefined) return undefined;
    let low = 0;
    let high = this.#tickets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#tickets[middle] ?? ticket) < ticket) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }
}
