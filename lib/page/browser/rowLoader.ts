import type { JobEvent, JobPage, JobQuery } from '../../client/index.ts';
import { FIELDS, FIRST_PAGE } from './firstList.ts';
import type { JobRowsOptions, RowPage } from './rowRequests.ts';
import type { StateCounts } from './stateCounts.ts';

export interface RowLoaderOptions extends Pick<JobRowsOptions, 'client' | 'onChange'> {
  readonly counts: StateCounts;
  /** Takes an event in once more that an answer does not know. */
  readonly again: (event: JobEvent) => void;
}

/** Asks for rows and counts. Of what is on its way together only the newest request for rows counts. */
export class RowLoader {
  readonly #options: RowLoaderOptions;
  #turn = 0;
  /** What has happened since the newest request for rows went out. */
  #heard: JobEvent[] = [];
  #isLoading = false;
  #error: unknown;

  constructor(options: RowLoaderOptions) {
    this.#options = options;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Why the last request for rows failed; undefined when it did not. */
  get error(): unknown {
    return this.#error;
  }

  /** An event that an answer on its way may not know. */
  heard(event: JobEvent): void {
    if (this.#isLoading) this.#heard.push(event);
  }

  /**
   * Asks for rows: `take` puts the answer into the list.
   * @returns undefined when a newer request has overtaken it
   */
  async ask(query: JobQuery, take: (page: RowPage) => void): Promise<RowPage | undefined> {
    const { client, counts, onChange, again } = this.#options;
    this.#turn += 1;
    const turn = this.#turn;
    this.#isLoading = true;
    this.#heard = [];
    onChange();
    const counted = counts.ask();
    let page: RowPage | undefined;
    try {
      const answer: RowPage = await client().jobPage({ ...query, fields: FIELDS });
      if (turn !== this.#turn) return undefined;
      page = answer;
      this.#error = undefined;
      take(page);
      const { event: knownTo = 0 } = page;
      for (const event of this.#heard) if (event.seq > knownTo) again(event);
      return page;
    } catch (error) {
      if (turn === this.#turn) this.#error = error;
      throw error;
    } finally {
      counted(page);
      if (turn === this.#turn) this.#isLoading = false;
      onChange();
    }
  }

  /**
   * Asks how many there are, and leaves the rows as they are.
   * @param isWanted whether the answer is still one for what is shown
   */
  async recount(query: JobQuery, isWanted: () => boolean): Promise<JobPage<'id'> | undefined> {
    const { client, counts } = this.#options;
    const counted = counts.ask();
    let page: JobPage<'id'> | undefined;
    try {
      const most = { limit: FIRST_PAGE, counts: '1', fields: ['id'] } as const;
      const answer = await client().jobPage({ ...query, ...most });
      if (isWanted()) page = answer;
    } finally {
      counted(page);
    }
    return page;
  }
}
