import { Readable } from 'node:stream';
import { PmanError } from '../../errors.ts';
import type { LoggedEvent } from '../../events/event.ts';
import type { EventLog } from '../../events/eventLog.ts';
import type { Growth, OutputGrowth } from '../../events/outputGrowth.ts';
import type { ApiReply } from './apiRoute.ts';
import { fits } from './eventFilter.ts';
import type { EventsQuery } from './eventsQuerySchema.ts';
import { problemReply } from './problem.ts';

/** A sign of life for proxies that close silent connections, in milliseconds. */
const HEARTBEAT_MS = 15_000;

export interface EventSources {
  readonly events: EventLog;
  readonly growth: OutputGrowth;
}

/**
 * Events as they come, in the form of Server-Sent Events (WHATWG HTML, 9.2) or a line of JSON each. A reader that is so slow
 * that the next one is no longer kept is told so at the end.
 */
export function eventStream(
  { events, growth }: EventSources,
  after: number,
  query: EventsQuery,
  form: 'sse' | 'ndjson',
  signal: AbortSignal,
): ApiReply {
  // What is no longer kept is said with a status, before the stream begins.
  events.readAfter(after, 1);
  const isWanted = fits(query);
  let seen = after;
  // A block without data is no event for a reader, but says where to go on after it (WHATWG HTML, 9.2.6). So nothing is
  // missed when the connection is lost before the first event, or when none has fitted for a long time.
  const alive = () => (form === 'sse' ? `id: ${seen}\n\n` : '\n');
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  async function* chunks(): AsyncGenerator<string> {
    const pulse = new Pulse();
    const forget = query.type?.includes('output')
      ? growth.listen((grown) => pulse.add(grown.filter(isWanted)))
      : () => undefined;
    try {
      // The head goes out at once.
      yield alive();
      const following = events.follow(after, until)[Symbol.asyncIterator]();
      let next = following.next();
      for (;;) {
        const turn = await Promise.race([next, pulse.beat()]);
        if (turn === undefined) {
          const grown = pulse.take();
          yield grown.map((one) => grew(one, form)).join('') || alive();
          continue;
        }
        if (turn.done) return;
        seen = turn.value.at(-1)?.event.seq ?? seen;
        const wanted = turn.value.filter(({ event }) => isWanted(event));
        if (wanted.length > 0) yield wanted.map((one) => told(one, form)).join('');
        next = following.next();
      }
    } catch (error) {
      if (!(error instanceof PmanError)) throw error;
      const why = JSON.stringify(problemReply(error).body);
      yield form === 'sse' ? `event: dropped\ndata: ${why}\n\n` : `{"dropped":${why}}\n`;
    } finally {
      forget();
      pulse.end();
      ended.abort();
    }
  }
  const type = form === 'sse' ? 'text/event-stream' : 'application/x-ndjson';
  return {
    status: 200,
    headers: [['Content-Type', type]],
    stream: Readable.from(chunks(), { objectMode: false, highWaterMark: 64 * 1024 }),
  };
}

/** Wakes a stream when there is a growth to tell, or when it is time for a sign of life. */
class Pulse {
  /** Of each job the newest: a slow reader holds no more than that. */
  readonly #grown = new Map<string, Growth>();
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beat: Promise<undefined> | undefined;

  add(growth: readonly Growth[]): void {
    for (const one of growth) this.#grown.set(one.id, one);
    if (growth.length > 0) this.#wake?.();
  }

  take(): readonly Growth[] {
    const all = [...this.#grown.values()];
    this.#grown.clear();
    return all;
  }

  /** The same until it is over: no promise is left behind with each event. */
  beat(): Promise<undefined> {
    if (this.#grown.size > 0) return Promise.resolve(undefined);
    this.#beat ??= new Promise<undefined>((resolve) => {
      this.#wake = () => {
        this.end();
        resolve(undefined);
      };
      this.#timer = setTimeout(this.#wake, HEARTBEAT_MS).unref();
    });
    return this.#beat;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#beat = undefined;
    this.#wake = undefined;
  }
}

function told({ event, line }: LoggedEvent, form: 'sse' | 'ndjson'): string {
  return form === 'sse' ? `id: ${event.seq}\nevent: ${event.type}\ndata: ${line}\n\n` : `${line}\n`;
}

/** It has no number: it is not kept. */
function grew(growth: Growth, form: 'sse' | 'ndjson'): string {
  const line = JSON.stringify(growth);
  return form === 'sse' ? `event: output\ndata: ${line}\n\n` : `${line}\n`;
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
        if (isWanted(logged.event)) found.push(logged.event);
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
