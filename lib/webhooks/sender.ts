import { freely } from '../concurrency/turns.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { JobEvent } from '../events/event.ts';
import type { EventLog } from '../events/eventLog.ts';
import type { Logger } from '../log.ts';
import type { AllowedHosts } from './allowedHosts.ts';
import { messageOfEvent } from './message.ts';
import type { NotifyFile } from './notifyFile.ts';
import { type Outcome, post } from './post.ts';
import { waitAfter } from './retries.ts';
import { signedHeaders } from './signature.ts';
import { Slots } from './slots.ts';
import { type Delivery, nextDelivery, type Subscription } from './state.ts';

export interface SenderOptions {
  readonly events: EventLog;
  readonly hosts: AllowedHosts;
  readonly file: NotifyFile;
  /** After how many seconds a message that was not taken is sent again, each time. */
  readonly retrySeconds: readonly number[];
  /** Is told what has come of a try, before the next one: writes it down. */
  readonly settled: (subscription: Subscription, delivery: Delivery, outcome: Outcome) => void;
  /** Nothing is to be sent just now. */
  readonly idle: (subscription: Subscription) => void;
  readonly log: Logger;
}

/** Of one receiver, and in all: a receiver that takes its time holds up only its own. */
const AT_ONCE = 4;
const AT_ONCE_IN_ALL = 256;
/** How long to wait when the disk does not give the events, in milliseconds. */
const UNREADABLE_MS = 5000;

/** What waits for its turn, and the event that it tells. */
interface Due {
  readonly delivery: Delivery;
  readonly event: JobEvent | undefined;
}

/** Sends what is to be sent: to each receiver one event after the other, each until it is taken or given up. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #slots = new Slots(AT_ONCE, AT_ONCE_IN_ALL);
  readonly #busy = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #ending = new AbortController();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Something may be due for a receiver. */
  wake(subscription: Subscription): void {
    const { id } = subscription;
    if (this.#ending.signal.aborted || this.#busy.has(id)) return;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    let due: Due | 'later' | undefined;
    try {
      due = subscription.isStopped ? undefined : this.#due(subscription);
    } catch (error) {
      this.#options.log.warn('the events cannot be read', { of: id, reason: messageOf(error) });
      this.#later(subscription, UNREADABLE_MS);
      return;
    }
    if (due === undefined) {
      this.#options.idle(subscription);
      return;
    }
    if (due === 'later') {
      this.#later(subscription, 0);
      return;
    }
    const waitMs = (due.delivery.dueAt ?? 0) - Date.now();
    if (waitMs > 0) {
      this.#later(subscription, waitMs);
      return;
    }
    this.#busy.add(id);
    void this.#send(subscription, due).finally(() => {
      this.#busy.delete(id);
      this.wake(subscription);
    });
  }

  /** Sends no more. What is under way counts as not sent: the next process sends it again, under the same id. */
  close(): void {
    this.#ending.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #later(subscription: Subscription, waitMs: number): void {
    const again = () => {
      this.#timers.delete(subscription.id);
      this.wake(subscription);
    };
    this.#timers.set(subscription.id, setTimeout(again, waitMs).unref());
  }

  async #send(subscription: Subscription, { delivery, event }: Due): Promise<void> {
    const outcome: Outcome | undefined =
      event === undefined
        ? { kind: 'failed', error: 'the event is no longer kept' }
        : await this.#try(subscription, delivery, event);
    if (outcome === undefined || this.#ending.signal.aborted) return;
    const isLost = event === undefined;
    const settled = afterTry(delivery, outcome, isLost ? [] : this.#options.retrySeconds);
    this.#options.settled(subscription, settled, outcome);
  }

  async #try(
    { url: text, secretName }: Subscription,
    { tries }: Delivery,
    event: JobEvent,
  ): Promise<Outcome | undefined> {
    const { hosts, file } = this.#options;
    const { signal } = this.#ending;
    try {
      // What was allowed when the job came may not be any more.
      const url = hosts.require(text);
      return await this.#slots.run(url.origin, async () => {
        if (signal.aborted) return undefined;
        const keys = file.keys(secretName);
        if (keys === undefined) {
          return { kind: 'failed', error: `there is no secret ${secretName} any more` } as const;
        }
        const { id, body } = messageOfEvent(event);
        const headers = signedHeaders(id, body, keys, Date.now());
        return post({ url, headers, body, tries, signal }, hosts);
      });
    } catch (error) {
      return { kind: 'failed', error: messageOf(error).slice(0, 200) };
    }
  }

  /** What is to be sent next; `later` when it is the turn of other work before that is known. */
  #due(subscription: Subscription): Due | 'later' | undefined {
    const waiting = nextDelivery(subscription);
    if (waiting !== undefined) return { delivery: waiting, event: this.#event(waiting.seq) };
    if (subscription.root !== undefined) return undefined;
    // An endpoint of the server goes along the log itself.
    for (;;) {
      if (freely.isOthersTurn) return 'later';
      const events = this.#after(subscription);
      if (events.length === 0) return undefined;
      for (const { event } of events) {
        const { seq, type } = event;
        if (!subscription.events.includes(type)) {
          subscription.seen = seq;
          continue;
        }
        const { id: message } = messageOfEvent(event);
        return { delivery: { seq, type, message, state: 'waiting', tries: 0 }, event };
      }
    }
  }

  #after(subscription: Subscription) {
    const { events, log } = this.#options;
    try {
      return events.readAfter(subscription.seen, 64);
    } catch (error) {
      if (!(error instanceof PmanError) || error.code !== 'gone') throw error;
      const from = Math.min(events.oldest - 1, events.newest);
      log.warn('an endpoint has missed events that are no longer kept', {
        endpoint: subscription.id,
        from: subscription.seen + 1,
        to: from,
      });
      subscription.seen = from;
      return events.readAfter(from, 64);
    }
  }

  #event(seq: number): JobEvent | undefined {
    try {
      const [found] = this.#options.events.readAfter(seq - 1, 1);
      return found?.event.seq === seq ? found.event : undefined;
    } catch (error) {
      if (error instanceof PmanError && error.code === 'gone') return undefined;
      throw error;
    }
  }
}

function afterTry(
  { seq, type, message, tries: before }: Delivery,
  outcome: Outcome,
  retrySeconds: readonly number[],
): Delivery {
  const tries = before + 1;
  const triedAt = Date.now();
  const base = { seq, type, message, tries, triedAt };
  switch (outcome.kind) {
    case 'delivered':
      return { ...base, state: 'delivered', status: outcome.status };
    case 'stopped':
      return {
        ...base,
        state: 'given_up',
        status: outcome.status,
        error: 'it wants no more (410)',
      };
    case 'failed': {
      const { status, error } = outcome;
      const waitMs = waitAfter(tries, retrySeconds, outcome.retryAfterMs);
      return {
        ...{ ...base, error },
        ...(status === undefined ? {} : { status }),
        ...(waitMs === undefined
          ? { state: 'given_up' }
          : { state: 'waiting', dueAt: triedAt + Math.ceil(waitMs) }),
      };
    }
  }
}
