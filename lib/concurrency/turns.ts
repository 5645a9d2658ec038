/** What all long works together may take of one turn of the event loop, in milliseconds. */
const SHARE_MS = 5;

/** When the share of this turn is used up, on the clock of `performance.now()`; 0: nobody has begun. */
let shareEnd = 0;
const waiting: Array<() => void> = [];

/**
 * Whether a long work has to let the others go on; then it awaits `turn`. Long works share one slice of each turn of
 * the event loop, so that many of them delay others no more than one does. What is short begins and ends at once.
 */
export function isOthersTurn(): boolean {
  if (shareEnd === 0) beginShare();
  return performance.now() > shareEnd;
}

/** Resolves when it is this work's turn again; those who wait go on in the order in which they came. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    setImmediate(serveOne);
  });
}

function beginShare(): void {
  shareEnd = performance.now() + SHARE_MS;
  // Queued before all who will have to wait: it runs first in the next turn.
  setImmediate(() => {
    shareEnd = 0;
  });
}

/** Each who waits has one call of this queued; what the one who goes on does is done before the next call. */
function serveOne(): void {
  if (isOthersTurn()) setImmediate(serveOne);
  else waiting.shift()?.();
}

/** How a work makes room for others: while it is their turn, it awaits `turn`. */
export interface Pace {
  readonly isOthersTurn: boolean;
  turn(): Promise<void>;
}

/** That of work that is no request's. */
export const freely: Pace = {
  get isOthersTurn() {
    return isOthersTurn();
  },
  turn,
};

/** Does work that comes in steps, with turns of the event loop in between. */
export async function inTurns<T>(steps: Generator<void, T, void>, pace: Pace = freely): Promise<T> {
  for (;;) {
    if (pace.isOthersTurn) await pace.turn();
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
