import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work may go on without a turn of the event loop, in milliseconds. */
const SLICE_MS = 5;

/**
 * Keeps long work from keeping the process to itself: that of a loop that receives messages, or of a large body. While messages are
 * waiting, ZeroMQ's `receive` resolves without a turn of the event loop, up to 512 times: with a disk that takes a millisecond to confirm
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

/** Does work that comes in steps, with turns of the event loop in between. */
export async function inTurns<T>(steps: Generator<void, T, void>): Promise<T> {
  const fairness = new Fairness();
  for (;;) {
    if (fairness.isOthersTurn) await fairness.turn();
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Does it without a pause. */
export function atOnce<T>(steps: Generator<void, T, void>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
