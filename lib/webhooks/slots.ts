import { Queue } from '../concurrency/queue.ts';

/** At most so many requests at once to one receiver, and in all. */
export class Slots {
  readonly #perPlace: number;
  readonly #all: Queue;
  readonly #places = new Map<string, { readonly queue: Queue; users: number }>();

  constructor(perPlace: number, inAll: number) {
    this.#perPlace = perPlace;
    this.#all = new Queue(inAll);
  }

  /** Runs a piece of work when its place, and then the whole, has room: a slow place takes no room that others need. */
  async run<T>(place: string, piece: () => Promise<T>): Promise<T> {
    const known = this.#places.get(place) ?? { queue: new Queue(this.#perPlace), users: 0 };
    this.#places.set(place, known);
    known.users += 1;
    try {
      return await known.queue.run(() => this.#all.run(piece));
    } finally {
      known.users -= 1;
      if (known.users === 0) this.#places.delete(place);
    }
  }
}
