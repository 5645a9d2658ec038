import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedEvent } from '../../events/event.ts';
import type { EventLog } from '../../events/eventLog.ts';
import type { ApiReply } from './apiRoute.ts';
import type { EventsQuery } from './schemas.ts';

/** A sign of life for proxies that close silent connections, in milliseconds. */
const HEARTBEAT_MS = 15_000;

/** Whether an event is one of those that were asked for. */
export function fits({ type, id, jid, auid }: EventsQuery): (logged: LoggedEvent) => boolean {
  const types = type?.split(',');
  return ({ event }) =>
    (types === undefined || types.includes(event.type)) &&
    (id === undefined || event.id === id) &&
    (jid === undefined || event.jid === jid) &&
    (auid === undefined || event.auid === auid);
}

/** Events as they come, in the form of Server-Sent Events (WHATWG HTML, 9.2) or a line of JSON each. */
export function eventStream(
  events: EventLog,
  after: number,
  query: EventsQuery,
  form: 'sse' | 'ndjson',
  signal: AbortSignal,
): ApiReply {
  // What is no longer kept is said with a status, before the stream begins.
  events.readAfter(after, 1);
  const isWanted = fits(query);
  const text = form === 'sse' ? sse : line;
  let seen = after;
  // A block without data is no event for a reader, but says where to go on after it (WHATWG HTML, 9.2.6). So nothing is
  // missed when the connection is lost before the first event, or when none has fitted for a long time.
  const alive = () => (form === 'sse' ? `id: ${seen}\n\n` : '\n');
  async function* chunks(): AsyncGenerator<string> {
    // The head goes out at once.
    yield alive();
    const following = events.follow(after, signal)[Symbol.asyncIterator]();
    let next = following.next();
    for (;;) {
      const timer = new AbortController();
      const turn = await Promise.race([
        next,
        sleep(HEARTBEAT_MS, undefined, { signal: timer.signal }).catch(() => undefined),
      ]);
      timer.abort();
      if (turn === undefined) {
        yield alive();
        continue;
      }
      if (turn.done) return;
      seen = turn.value.at(-1)?.event.seq ?? seen;
      const wanted = turn.value.filter(isWanted);
      if (wanted.length > 0) yield wanted.map(text).join('');
      next = following.next();
    }
  }
  const type = form === 'sse' ? 'text/event-stream' : 'application/x-ndjson';
  return {
    status: 200,
    headers: [['Content-Type', type]],
    stream: Readable.from(chunks(), { objectMode: false, highWaterMark: 64 * 1024 }),
  };
}

function sse({ event, line }: LoggedEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${line}\n\n`;
}

function line(logged: LoggedEvent): string {
  return `${logged.line}\n`;
}

/** Events behind a number, as far as there are some; waits for the first. `next` is the number to go on after. */
export async function eventPage(
  events: EventLog,
  after: number,
  query: EventsQuery,
  signal: AbortSignal,
): Promise<{ readonly events: readonly unknown[]; readonly next: number }> {
  const isWanted = fits(query);
  const found: unknown[] = [];
  let next = after;
  const take = () => {
    while (found.length < query.limit) {
      const batch = events.readAfter(next, 512);
      if (batch.length === 0) return;
      for (const logged of batch) {
        if (found.length === query.limit) return;
        next = logged.event.seq;
        if (isWanted(logged)) found.push(logged.event);
      }
    }
  };
  take();
  const limit = AbortSignal.any([signal, AbortSignal.timeout((query.wait ?? 0) * 1000)]);
  while (found.length === 0 && query.wait !== undefined && !limit.aborted) {
    const more = events.follow(next, limit);
    await more.next();
    await more.return(undefined);
    take();
  }
  return { events: found, next };
}
