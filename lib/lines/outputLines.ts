import { BadRequestError, messageOf } from '../errors.ts';
import type { LinesRead, ReadOrder, SearchOrder } from './lineOrders.ts';
import type { Found } from './lineSearch.ts';
import { LineThread, TooLongError } from './lineThread.ts';
import { Pattern, type Wanted } from './pattern.ts';

/** For how long one call may take an output in, in milliseconds: what is read first is told first. */
const SLICE_MS = 200;
/** How long reading may take at all, in milliseconds: a disk may be slow. */
const READ_LIMIT_MS = 30_000;
/** How long a search goes on, in milliseconds. */
const SEARCH_MS = 3000;
/** For how long one line may hold up a search, in milliseconds: an expression may take for ever with it. */
const LINE_MS = 1000;

/** The lines of jobs' outputs: reads and finds them, in threads beside the one that answers. */
export class OutputLines {
  readonly #reader = new LineThread();
  readonly #searcher = new LineThread();

  /** Reads lines; what of the output is not known yet is taken in first, as far as that goes in a moment. */
  async read(order: Omit<ReadOrder, 'do' | 'sliceMs'>, signal: AbortSignal): Promise<LinesRead> {
    const asked = { do: 'read', sliceMs: SLICE_MS, ...order } as const;
    return (await this.#reader.ask(asked, READ_LIMIT_MS, signal)) as LinesRead;
  }

  /**
   * Finds the lines that have a text, or fit an expression.
   * @throws BadRequestError for an expression that is none, or that takes too long with a line
   */
  async search(order: Omit<SearchOrder, 'do' | 'limitMs'>, signal: AbortSignal): Promise<Found> {
    if (order.wanted !== undefined) requirePattern(order.wanted);
    const asked = { do: 'search', limitMs: SEARCH_MS, ...order } as const;
    try {
      return (await this.#searcher.ask(asked, SEARCH_MS + LINE_MS, signal)) as Found;
    } catch (error) {
      if (!(error instanceof TooLongError)) throw error;
      throw new BadRequestError('"regex" takes too long with a line of this output', {
        hint: 'look for a text, or for an expression without repetitions in repetitions',
      });
    }
  }

  close(): void {
    this.#reader.close();
    this.#searcher.close();
  }
}

function requirePattern(wanted: Wanted): void {
  try {
    new Pattern(wanted);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new BadRequestError(`"regex": ${messageOf(cause)}`, { cause });
  }
}
