import type { JobEvent } from '../../client/index.ts';
import type { Filter } from './pagePlace.ts';
import type { RowList } from './rowList.ts';
import type { JobRowsOptions } from './rowRequests.ts';
import { queryOf } from './searchWords.ts';

/** How often places are asked for at most, in milliseconds. */
const PLACES_MS = 1000;
/** Rows that wait may have come since, before those that are shown. */
const MORE = 50;
const MOST = 1000;

interface QueuePlacesOptions extends Pick<JobRowsOptions, 'client' | 'onChange'> {
  readonly list: RowList;
  readonly filter: () => Filter | undefined;
  readonly later: (act: () => void, ms: number) => void;
  readonly now: () => number;
}

/**
 * The places in the queue of the jobs in a list. No event tells that a job is nearer to its turn, only that another one has
 * left the queue: then the server is asked, for one that waited nobody here may know.
 */
export class QueuePlaces {
  readonly #options: QueuePlacesOptions;
  #isDue = false;

  constructor(options: QueuePlacesOptions) {
    this.#options = options;
  }

  /** Something has happened to a job. */
  heard(event: JobEvent): void {
    if (this.#isDue || !mayMoveQueue(event) || !this.#waiting.length) return;
    this.#isDue = true;
    this.#options.later(() => {
      this.#isDue = false;
      // Whoever follows the events notices that the server is away.
      this.#ask().catch(() => undefined);
    }, PLACES_MS);
  }

  get #waiting() {
    return this.#options.list.all.filter(({ state, place }) => state === 'waiting' && place);
  }

  async #ask(): Promise<void> {
    const { list, client, filter: filterNow, onChange, now } = this.#options;
    const filter = filterNow();
    const count = this.#waiting.length;
    const [first] = list.all;
    if (filter === undefined || first === undefined || count === 0) return;
    const { jobs } = await client().jobPage({
      ...queryOf(filter, now()),
      ...{ state: ['waiting'], fields: ['id', 'place'], limit: Math.min(MOST, count + MORE) },
      // Where rows are before these, the first of these is not seen.
      ...(list.start > 0 && { after: first.id }),
    });
    for (const { id, place } of jobs) {
      const row = list.get(id);
      if (row?.state === 'waiting' && row.place !== place) list.change(id, { place });
    }
    onChange();
  }
}

/** Whether those that wait may be nearer to their turn by what has happened to a job. */
export function mayMoveQueue({ type, data }: Pick<JobEvent, 'type' | 'data'>): boolean {
  return type === 'ended' || type === 'removed' || (type === 'started' && data?.part === 0);
}
