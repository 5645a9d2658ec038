import type { Fail, FrontRouter, Settle } from './rawRouter.ts';

/** So many messages are handed over at the latest. */
const MOST_WAITING = 64;
/** Beside what a message as long costs, waking somebody is nothing: it does not wait, and neither does the next piece. */
const LONG = 16 * 1024;

interface Waiting {
  readonly frames: (Buffer | string)[];
  readonly settle: Settle;
  readonly fail: Fail;
}

/**
 * Hands messages to ZeroMQ together, once a turn of the event loop. A message that finds ZeroMQ's own thread asleep wakes it, which
 * is a call of the system and costs more than all the rest of sending; of many that come together the first one does.
 */
export class SendQueue {
  readonly #router: Pick<FrontRouter, 'offer'>;
  #waiting: Waiting[] = [];
  readonly #flush = () => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { frames, settle, fail } of waiting) this.#router.offer(frames, settle, fail);
  };

  constructor(router: Pick<FrontRouter, 'offer'>) {
    this.#router = router;
  }

  /** Tells what became of the message, as FrontRouter.offer does. Messages go out in the order in which they came. */
  send(id: Buffer, bytes: Buffer | string, settle: Settle, fail: Fail): void {
    this.#waiting.push({ frames: [id, bytes], settle, fail });
    if (bytes.length >= LONG || this.#waiting.length >= MOST_WAITING) this.#flush();
    else if (this.#waiting.length === 1) setImmediate(this.#flush);
  }
}
