import type { JobEvent } from '../events/event.ts';
import type { JournalLine } from './deliveryJournal.ts';
import { messageOfEvent } from './message.ts';
import { DEFAULT_EVENTS, DEFAULT_SECRET, type NotifyEntry } from './notify.ts';
import type { Subscription } from './state.ts';

export interface Receivers {
  /** Those that a job has already. */
  readonly of: (root: string) => readonly Subscription[];
  /** Whom a job wants to be told, by its record. */
  readonly notifyOf: (root: string) => readonly NotifyEntry[];
  /** Takes those that are new, by job. */
  readonly made: Map<string, Subscription[]>;
}

/** What is to be written down for an event, for the receivers of its job. Endpoints of the server go along the log itself. */
export function linesFor(event: JobEvent, receivers: Receivers): readonly JournalLine[] {
  const { id: root, seq, type } = event;
  const lines: JournalLine[] = [];
  let subscriptions = receivers.of(root);
  if (type === 'accepted' && subscriptions.length === 0) {
    const fresh = receivers.notifyOf(root).map((entry, i) => subscriptionOf(root, seq, entry, i));
    if (fresh.length > 0) receivers.made.set(root, fresh);
    lines.push(...fresh.map((subscription) => ({ subscription })));
    subscriptions = fresh;
  }
  for (const { id, events, seen, isStopped } of subscriptions) {
    // What was written down before a crash is not taken twice.
    if (!events.includes(type) || seq <= seen || isStopped) continue;
    const { id: message } = messageOfEvent(event);
    lines.push({ of: id, delivery: { seq, type, message, state: 'waiting', tries: 0 } });
  }
  if (type === 'ended') lines.push(...subscriptions.map(({ id }) => ({ closed: id })));
  return lines;
}

function subscriptionOf(root: string, seq: number, entry: NotifyEntry, i: number): Subscription {
  return {
    ...{ id: `${root}/${i}`, root, url: entry.url, seen: seq - 1 },
    events: [...(entry.events ?? DEFAULT_EVENTS)],
    secretName: entry.secretName ?? DEFAULT_SECRET,
    ...{ isClosed: false, isStopped: false, deliveries: [] },
  };
}
