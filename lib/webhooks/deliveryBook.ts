import { messageOf, PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Journal, type JournalLine, type Known, learn } from './deliveryJournal.ts';
import { type Delivery, type Subscription, waitingOf } from './state.ts';

/** What is known of receivers and of what is sent to them: in memory as it is on the disk, which has it first. */
export class DeliveryBook {
  readonly #journal: Journal;
  readonly #log: Logger;
  readonly #known: Known;
  #waiting = 0;
  #hasComplained = false;

  /** What an earlier process has left. @throws the file system's error */
  constructor(journal: Journal, log: Logger) {
    this.#journal = journal;
    this.#log = log;
    this.#known = journal.read();
    for (const subscription of this.#known.subscriptions.values()) {
      if (subscription.root !== undefined) this.#waiting += waitingOf(subscription).length;
    }
  }

  get subscriptions(): Map<string, Subscription> {
    return this.#known.subscriptions;
  }

  /** Up to which event all was looked at, as it is written down. */
  get fed(): number | undefined {
    return this.#known.fed;
  }

  set fed(seq: number) {
    this.#known.fed = seq;
  }

  /** How many deliveries of jobs wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Writes all of it anew, without what is of the past. @throws the file system's error */
  tidy(): void {
    this.#journal.tidy(this.#known, true);
  }

  /** Writes lines down and learns of them. @throws the file system's error: nothing is learnt then */
  write(lines: readonly JournalLine[]): void {
    this.#journal.append(lines);
    for (const line of lines) {
      // New, or to be sent once more.
      if ('delivery' in line && isFresh(line.delivery)) this.#waiting += 1;
      learn(this.#known, line);
    }
    this.#journal.tidy(this.#known);
  }

  /** As `write`, for a client. @throws PmanError storage */
  writeOrder(lines: readonly JournalLine[]): void {
    try {
      this.write(lines);
    } catch (error) {
      throw new PmanError('storage', `the order cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** As `write`; what the disk refuses is known to this process alone, and a later one sends it again. */
  keep(lines: readonly JournalLine[]): void {
    try {
      this.write(lines);
      this.#hasComplained = false;
    } catch (error) {
      for (const line of lines) learn(this.#known, line);
      if (!this.#hasComplained) {
        this.#log.warn('what came of webhooks cannot be written', { reason: messageOf(error) });
      }
      this.#hasComplained = true;
    }
  }

  /** Keeps what came of deliveries to a receiver: those that have come to an end wait no more. */
  keepSettled(subscription: Subscription, lines: readonly JournalLine[]): void {
    const before = waitingOf(subscription).length;
    this.keep(lines);
    if (subscription.root !== undefined) this.#waiting += waitingOf(subscription).length - before;
  }
}

/** One that is given up before its first try is not: it has waited before. */
const isFresh = ({ state, tries }: Delivery) => state === 'waiting' && tries === 0;
