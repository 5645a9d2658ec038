import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work may go on without a turn of the event loop, in milliseconds. */
const SLICE_MS = 5;

/**
 * Keeps a loop that receives messages from keeping the process to itself. While messages are waiting, ZeroMQ's
 * `receive` resolves without a turn of the event loop, up to 512 times: with a disk that takes a millisecond to confirm
 * each job that is half a second and more in which no signal, timer or end of a process is heard, again and again.
 */
export class Fairness {
  #sliceEnd = 0;

  /** Whether it is the others' turn; then await `turn`. */
  get isOthersTurn(): boolean {
    return performance.now() > this.#sliceEnd;
  }

  async turn(): Promise<void> {
    await nextTurn();
    this.#sliceEnd = performance.now() + SLICE_MS;
  }
}
