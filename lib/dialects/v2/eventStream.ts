import { Readable } from 'node:stream';
import { freely } from '../../concurrency/turns.ts';
import { PmanError } from '../../errors.ts';
import type { LoggedEvent } from '../../events/event.ts';
import type { EventLog } from '../../events/eventLog.ts';
import type { Growth, OutputGrowth } from '../../events/outputGrowth.ts';
import { portableJson } from '../../wire/portableJson.ts';
import type { ApiReply } from './apiRoute.ts';
import { type CommandOf, type EventRequest, fits } from './eventFilter.ts';
import { problemReply } from './problem.ts';

/** A sign of life for proxies that close silent connections, in milliseconds. */
const HEARTBEAT_MS = 15_000;

export interface EventSources {
  readonly events: EventLog;
  readonly growth: OutputGrowth;
  readonly commandOf: CommandOf;
}

/**
 * Events as they come, in the form of Server-Sent Events (WHATWG HTML, 9.2) or a line of JSON each. A reader that is so slow
 * that the next one is no longer kept is told so at the end.
 */
export function eventStream(
  { events, growth, commandOf }: EventSources,
  after: number,
  query: EventRequest,
  form: 'sse' | 'ndjson',
  signal: AbortSignal,
): ApiReply {
  // What is no longer kept is said with a status, before the stream begins.
  events.readAfter(after, 1);
  const isWanted = fits(query, commandOf);
  let seen = after;
  // A block without data is no event for a reader, but says where to go on after it (WHATWG HTML, 9.2.6). So nothing is
  // missed when the connection is lost before the first event, or when none has fitted for a long time.
  const alive = () => (form === 'sse' ? `id: ${seen}\n\n` : '\n');
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  async function* chunks(): AsyncGenerator<string | Buffer> {
    const pulse = new Pulse();
    const forget = query.type?.includes('output')
      ? growth.listen((grown) => pulse.add(grown.filter(isWanted)))
      : () => undefined;
    try {
      // The head goes out at once.
      yield alive();
      const following = new Following(events.follow(after, until), pulse);
      for (;;) {
        await pulse.beat();
        // Who is behind finds the next events at once, each time: many of them would let nobody else have a turn.
        if (freely.isOthersTurn) await freely.turn();
        const grown = pulse.take();
        if (grown.length > 0) yield grown.map((one) => grew(one, form)).join('');
        const turn = following.take();
        if (turn?.done === true) return;
        const wanted = turn?.value.filter(({ event }) => isWanted(event)) ?? [];
        seen = turn?.value.at(-1)?.event.seq ?? seen;
        // Those who want all get the same bytes.
        const isAll = wanted.length === turn?.value.length;
        if (wanted.length > 0) yield toldAll(isAll ? turn.value : wanted, form);
        else if (pulse.isDue) yield alive();
        else continue;
        pulse.sent();
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

/** What comes of a log, one after the other: the next is asked for when the one before was taken. */
class Following {
  readonly #events: AsyncGenerator<readonly LoggedEvent[]>;
  readonly #pulse: Pulse;
  #turn: IteratorResult<readonly LoggedEvent[]> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(events: AsyncGenerator<readonly LoggedEvent[]>, pulse: Pulse) {
    this.#events = events;
    this.#pulse = pulse;
    this.#ask();
  }

  /** What has come; undefined when nothing has. */
  take(): IteratorResult<readonly LoggedEvent[]> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn !== undefined && turn.done !== true) this.#ask();
    return turn;
  }

  #ask(): void {
    this.#events.next().then(
      (turn) => {
        this.#turn = turn;
        this.#pulse.ring();
      },
      (error: unknown) => {
        this.#failure = { error };
        this.#pulse.ring();
      },
    );
  }
}

/**
 * Wakes a stream when there is something to tell, or when it is time for a sign of life. One promise at a time is waited
 * for, and nothing long-lived: what `Promise.race` leaves at a promise that stays holds everything that has won since.
 */
class Pulse {
  /** Of each job the newest: a slow reader holds no more than that. */
  readonly #grown = new Map<string, Growth>();
  readonly #timer = setInterval(() => {
    this.#isDue = true;
    this.ring();
  }, HEARTBEAT_MS).unref();
  #wake: (() => void) | undefined;
  #hasRung = false;
  #isDue = false;

  /** Whether nothing has been sent for so long that it is time for a sign of life. */
  get isDue(): boolean {
    return this.#isDue;
  }

  add(growth: readonly Growth[]): void {
    for (const one of growth) this.#grown.set(one.id, one);
    if (growth.length > 0) this.ring();
  }

  take(): readonly Growth[] {
    if (this.#grown.size === 0) return [];
    const all = [...this.#grown.values()];
    this.#grown.clear();
    return all;
  }

  /** Resolves when there was a ring since the last time. */
  async beat(): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#hasRung = false;
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  sent(): void {
    this.#isDue = false;
    this.#timer.refresh();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/** What was made of batches, for the others who get the same ones. */
const renderings = new WeakMap<readonly LoggedEvent[], Partial<Record<'sse' | 'ndjson', Buffer>>>();

function toldAll(batch: readonly LoggedEvent[], form: 'sse' | 'ndjson'): Buffer {
  const known = renderings.get(batch) ?? {};
  const bytes = known[form] ?? Buffer.from(batch.map((one) => told(one, form)).join(''));
  renderings.set(batch, { ...known, [form]: bytes });
  return bytes;
}

function told({ event, line }: LoggedEvent, form: 'sse' | 'ndjson'): string {
  return form === 'sse' ? `id: ${event.seq}\nevent: ${event.type}\ndata: ${line}\n\n` : `${line}\n`;
}

/** It has no number: it is not kept. */
function grew(growth: Growth, form: 'sse' | 'ndjson'): string {
  const line = portableJson(growth);
  return form === 'sse' ? `event: output\ndata: ${line}\n\n` : `${line}\n`;
}

/**
 * Events behind a number, as far as there are some; waits for the first. `next` is the number to go on after.
 * @throws PmanError gone when what comes next is no longer kept
 */
export async function eventPage(
  { events, commandOf }: Omit<EventSources, 'growth'>,
  after: number,
  query: EventRequest,
  signal: AbortSignal,
): Promise<{ readonly events: readonly unknown[]; readonly next: number }> {
  const isWanted = fits(query, commandOf);
  const found: unknown[] = [];
  let next = after;
  // A filter that fits nothing goes through all that is kept: in turns with other work.
  const take = async () => {
    while (found.length < query.limit && !signal.aborted) {
      if (freely.isOthersTurn) await freely.turn();
      const batch = events.readAfter(next, 512);
      if (batch.length === 0) return;
      for (const logged of batch) {
        if (found.length === query.limit) return;
        next = logged.event.seq;
        if (isWanted(logged.event)) found.push(logged.event);
      }
    }
  };
  await take();
  if (found.length > 0 || query.wait === undefined) return { events: found, next };
  // AbortSignal.timeout would be forgotten, with its time: AbortSignal.any holds its sources weakly.
  const timeUp = new AbortController();
  const timer = setTimeout(() => timeUp.abort(), query.wait * 1000);
  const limit = AbortSignal.any([signal, timeUp.signal]);
  try {
    while (found.length === 0 && !limit.aborted) {
      const more = events.follow(next, limit);
      await more.next();
      await more.return(undefined);
      await take();
    }
  } finally {
    clearTimeout(timer);
  }
  return { events: found, next };
}
