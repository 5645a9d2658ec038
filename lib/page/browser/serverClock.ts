import type { Transport } from '../../client/index.ts';

/** A server writes its time in whole seconds, and may have done so a second before it answers. In milliseconds. */
const COARSE_MS = 2000;

/**
 * The time as the server has it, as far as its answers tell: all times of jobs are of its clock, and that of this computer
 * may be another one. Each answer says between which times it was; what fits them all is kept, and no difference where
 * none is known.
 */
export class ServerClock {
  /** How far the server is before this computer, in milliseconds. */
  #ahead = 0;
  /** The browser may have asked for the first answer before any script ran. */
  #asked: number | undefined = Date.now() - performance.now();

  get ahead(): number {
    return this.#ahead;
  }

  /** In milliseconds since 1970. */
  readonly now = (): number => Date.now() + this.#ahead;

  /** The `fetch` of the browser, whose answers are looked at for their time. */
  readonly fetch: Transport = async (url, sending) => {
    const asked = this.#asked ?? Date.now();
    const answer = await fetch(url, sending);
    this.#asked = undefined;
    this.heard(answer.headers.get('date'), asked);
    return answer;
  };

  /** @param date of an answer that has just come; `asked`: when it was asked for at the earliest, by the clock here */
  heard(date: string | null, asked: number): void {
    const told = Date.parse(date ?? '');
    if (Number.isNaN(told)) return;
    this.#ahead = Math.max(told - Date.now(), Math.min(told + COARSE_MS - asked, this.#ahead));
  }
}
