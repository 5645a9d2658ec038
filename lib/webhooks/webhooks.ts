import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PmanError } from '../errors.ts';
import type { LoggedEvent } from '../events/event.ts';
import type { EventLog } from '../events/eventLog.ts';
import type { Logger } from '../log.ts';
import type { AllowedHosts } from './allowedHosts.ts';
import { DeliveryBook } from './deliveryBook.ts';
import type { Journal, JournalLine } from './deliveryJournal.ts';
import { linesFor } from './linesFor.ts';
import { DEFAULT_SECRET, type NotifyEntry } from './notify.ts';
import type { NotifyFile } from './notifyFile.ts';
import type { Outcome } from './post.ts';
import { Sender } from './sender.ts';
import { type Delivery, isOver, type Subscription, waitingOf } from './state.ts';

export interface WebhooksOptions {
  readonly events: EventLog;
  readonly hosts: AllowedHosts;
  readonly file: NotifyFile;
  readonly journal: Journal;
  readonly retrySeconds: readonly number[];
  /** Whom a job wants to be told, by its record; none when it does not say, or is gone. */
  readonly notifyOf: (root: string) => readonly NotifyEntry[];
  readonly hasJob: (root: string) => boolean;
  /** Is told of every try. */
  readonly onTry: (kind: Outcome['kind'] | 'given_up') => void;
  readonly log: Logger;
}

/** Events that concern nobody: after so many it is written down how far they were looked at. */
const QUIET_EVENTS = 1000;
/** How many subscriptions of jobs are remembered that have nothing more to send. */
const REMEMBERED = 5000;
const RETRY_DISK_MS = 5000;

/**
 * Tells others of what happens to jobs: each event once and in order for each receiver, which is an entry of a job's
 * `notify` or an endpoint of the server. What is to be sent is on the disk before it is sent, and what came of it before
 * the next one.
 */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #book: DeliveryBook;
  readonly #byRoot = new Map<string, Subscription[]>();
  /** Those of jobs that have nothing more to send, oldest first. */
  readonly #over = new Set<string>();
  readonly #sender: Sender;
  readonly #ending = new AbortController();
  /** Those of the server. */
  #endpoints: readonly Subscription[] = [];
  #fed = 0;

  /** Goes on where an earlier process has ended. @throws the file system's error */
  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { events, journal, log } = options;
    this.#book = new DeliveryBook(journal, log);
    this.#fed = Math.min(this.#book.fed ?? events.newest, events.newest);
    this.#book.fed = this.#fed;
    if (this.#isOn) this.#takeEndpoints();
    for (const subscription of this.#book.subscriptions.values()) this.#index(subscription);
    this.#sender = new Sender({
      ...options,
      settled: (subscription, delivery, outcome) => this.#settled(subscription, delivery, outcome),
      idle: (subscription) => this.#idle(subscription),
    });
    if (!this.#isOn) return;
    this.#book.tidy();
    for (const subscription of [...this.#book.subscriptions.values()])
      this.#sender.wake(subscription);
    void this.#feed();
  }

  /**
   * Whether a job may ask for this.
   * @throws PmanError forbidden for a host that is not allowed, bad_request for a URL or a secret that is none
   */
  check(entries: readonly NotifyEntry[]): void {
    const { hosts, file } = this.#options;
    for (const { url, secretName = DEFAULT_SECRET } of entries) {
      hosts.require(url);
      if (file.keys(secretName) !== undefined) continue;
      throw new PmanError('bad_request', `notify: the server has no secret ${secretName}`, {
        hint: 'secretName is a name of its --notifyFile',
      });
    }
  }

  /** The receivers of a job, and what was sent to each. */
  of(root: string): readonly Readonly<Subscription>[] {
    return this.#byRoot.get(root) ?? [];
  }

  /**
   * Sends events of a job again: those that were given up, or all that are remembered. Each has the id that it had.
   * @returns how many
   * @throws PmanError forbidden when this server sends none, storage when the disk does not take the order
   */
  again(root: string, which: 'given_up' | 'all'): number {
    if (!this.#isOn) throw new PmanError('forbidden', 'this server sends no webhooks');
    let count = 0;
    for (const subscription of this.of(root)) {
      const { id, deliveries } = subscription;
      const chosen = deliveries.filter(
        ({ state }) => state === 'given_up' || (which === 'all' && state === 'delivered'),
      );
      if (chosen.length === 0) continue;
      const lines = chosen.map(({ seq, type, message }): JournalLine => {
        return { of: id, delivery: { seq, type, message, state: 'waiting', tries: 0 } };
      });
      this.#book.writeOrder([{ resumed: id }, ...lines]); // who asks knows better than the 410 of then
      count += chosen.length;
      this.#over.delete(id);
      this.#sender.wake(subscription);
    }
    return count;
  }

  /** Figures for the operator: deliveries of jobs that wait, and by how many events the endpoints of the server are behind. */
  get figures() {
    const { events } = this.#options;
    const behind = this.#endpoints.map(({ id, seen }) => {
      return { endpoint: id.slice(1), events: Math.max(0, events.newest - seen) };
    });
    // A server that sends none reads none, and nothing of it is late.
    const unread = this.#isOn ? events.newest - this.#fed : 0;
    return { waiting: this.#book.waiting, unread, behind };
  }

  close(): void {
    this.#ending.abort();
    this.#sender.close();
    if (this.#isOn) this.#book.keep([{ fed: this.#fed }]);
  }

  /** Without a host that is allowed nothing is sent, and what is to be sent stays as it is. */
  get #isOn(): boolean {
    return !this.#options.hosts.isEmpty;
  }

  /** The endpoints of the server as its file has them now: a new one hears of what comes from now on. */
  #takeEndpoints(): void {
    const { subscriptions } = this.#book;
    const { events: log, file } = this.#options;
    const endpoints = file.endpoints.map(({ name, url, events, secretName }): Subscription => {
      const id = `@${name}`;
      const before = subscriptions.get(id);
      const kept = before?.url === url ? before : undefined;
      return {
        ...{ id, url, events: [...events], secretName, isClosed: false, isStopped: false },
        seen: Math.min(kept?.seen ?? log.newest, log.newest),
        deliveries: kept?.deliveries ?? [],
      };
    });
    for (const { id, root } of [...subscriptions.values()])
      if (root === undefined) subscriptions.delete(id);
    for (const endpoint of endpoints) subscriptions.set(endpoint.id, endpoint);
    this.#endpoints = endpoints;
  }

  #index(subscription: Subscription): void {
    const { root } = subscription;
    if (root !== undefined) this.#byRoot.set(root, [...this.#mine(root), subscription]);
  }

  /** Looks at each event as it comes. */
  async #feed(): Promise<void> {
    const { events, log } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        for await (const batch of events.follow(this.#fed, signal)) this.#take(batch);
        return;
      } catch (error) {
        const isGone = error instanceof PmanError && error.code === 'gone';
        log.warn(isGone ? 'webhooks have missed events' : 'webhooks cannot go on yet', {
          reason: messageOf(error),
        });
        if (isGone) this.#fed = Math.min(events.oldest - 1, events.newest);
        else await sleep(RETRY_DISK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  /** @throws the file system's error: none of the events counts as looked at then */
  #take(batch: readonly LoggedEvent[]): void {
    const made = new Map<string, Subscription[]>();
    const of = (root: string) => made.get(root) ?? this.#mine(root);
    const { notifyOf } = this.#options;
    const lines = batch.flatMap(({ event }) => linesFor(event, { of, notifyOf, made }));
    const last = batch.at(-1)?.event.seq ?? this.#fed;
    if (lines.length > 0 || last - (this.#book.fed ?? 0) > QUIET_EVENTS) {
      this.#book.write([...lines, { fed: last }]);
    }
    this.#fed = last;
    for (const subscriptions of made.values()) for (const one of subscriptions) this.#index(one);
    const concerned = new Set<Subscription>(this.#endpoints);
    for (const { event } of batch) for (const one of this.#mine(event.id)) concerned.add(one);
    for (const subscription of concerned) this.#sender.wake(subscription);
  }

  #mine(root: string): readonly Subscription[] {
    return this.#byRoot.get(root) ?? [];
  }

  #settled(subscription: Subscription, delivery: Delivery, { kind }: Outcome): void {
    const { id } = subscription;
    const lines: JournalLine[] = [{ of: id, delivery }];
    if (kind === 'stopped') {
      // Nothing more goes there: what waits behind it is given up as well.
      const others = waitingOf(subscription).filter(({ seq }) => seq !== delivery.seq);
      const { error = '' } = delivery;
      lines.push(
        ...others.map((one): JournalLine => {
          return { of: id, delivery: { ...one, state: 'given_up', error } };
        }),
        { stopped: id },
      );
    }
    this.#book.keepSettled(subscription, lines);
    const { state, seq, type, error = '', tries } = delivery;
    this.#options.onTry(kind);
    if (kind === 'delivered') return;
    if (state === 'given_up') {
      this.#options.onTry('given_up');
      const told = { of: id, seq, type, tries, reason: error };
      this.#options.log.warn('a webhook was given up', told);
    } else this.#options.log.debug('a webhook was not taken', { of: id, seq, reason: error });
  }

  /** Forgets what has nothing more to send, when its job is gone or there are many of them. */
  #idle(subscription: Subscription): void {
    const { id, root } = subscription;
    if (root === undefined || !isOver(subscription)) return;
    if (!this.#options.hasJob(root)) this.#forget(subscription);
    else {
      this.#over.add(id);
      for (const oldest of this.#over) {
        if (this.#over.size <= REMEMBERED) break;
        const forgotten = this.#book.subscriptions.get(oldest);
        this.#over.delete(oldest);
        if (forgotten !== undefined) this.#forget(forgotten);
      }
    }
  }

  #forget({ id, root = '' }: Subscription): void {
    this.#over.delete(id);
    this.#book.keep([{ forgotten: id }]);
    const others = this.#mine(root).filter((one) => one.id !== id);
    if (others.length > 0) this.#byRoot.set(root, others);
    else this.#byRoot.delete(root);
  }
}
