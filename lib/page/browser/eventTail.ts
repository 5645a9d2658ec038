import type { JobEvent } from '../../client/index.ts';

/** So many are shown. */
const MOST = 50;

/** The last events, the newest first; each once, however it came. */
export class EventTail {
  #events: readonly JobEvent[] = [];

  get events(): readonly JobEvent[] {
    return this.#events;
  }

  /** Behind which number those begin that are wanted, of those that the server has. */
  after({ oldest, newest }: { readonly oldest: number; readonly newest: number }): number {
    return Math.max(oldest - 1, newest - MOST);
  }

  add(events: readonly JobEvent[]): void {
    const all = new Map([...this.#events, ...events].map((event) => [event.seq, event]));
    this.#events = [...all.values()].sort((a, b) => b.seq - a.seq).slice(0, MOST);
  }
}
