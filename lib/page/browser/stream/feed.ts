import { type JobEvent, type PmanClient, PmanClientError } from '../../../client/index.ts';
import type { ToWindow } from './messages.ts';

export type FeedClient = Pick<PmanClient, 'events' | 'eventPage'>;

/** A window that hears a feed. */
export interface Member {
  readonly tell: (message: ToWindow) => void;
  /** The number of the last event that it has; undefined: it wants what comes next. */
  seen: number | undefined;
  /** When it has said something last, in milliseconds since 1970. */
  heardAt: number;
}

/** A stream that does not begin within this time is given up, in milliseconds. */
const OPEN_MS = 10_000;

/** One stream of events for all windows that may see the same. Each of them gets each event behind its number once, in order. */
export class Feed {
  readonly #client: FeedClient;
  readonly #onEnd: () => void;
  readonly #stop = new AbortController();
  /** With what has come meanwhile for those that are being told what they have missed. */
  readonly #members = new Map<Member, JobEvent[] | undefined>();
  #seq: number | undefined;
  #isOpen = false;
  #batch: JobEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param after behind which number the stream begins
   * @param onEnd called when nothing more comes, or nobody hears it any more
   */
  constructor(client: FeedClient, after: number | undefined, onEnd: () => void) {
    this.#client = client;
    this.#seq = after;
    this.#onEnd = onEnd;
    void this.#run();
  }

  join(member: Member): void {
    const { seen } = member;
    const isBehind = seen !== undefined && (this.#seq === undefined || seen < this.#seq);
    member.seen ??= this.#seq;
    this.#members.set(member, isBehind ? [] : undefined);
    if (isBehind) void this.#catchUp(member, seen);
    else if (this.#isOpen) member.tell({ kind: 'news', events: [] });
  }

  leave(member: Member): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#end();
  }

  /** Asks all whether they are there, and forgets those that have said nothing since then. */
  ping(since: number): void {
    for (const member of [...this.#members.keys()]) {
      if (member.heardAt < since) this.leave(member);
      else member.tell({ kind: 'ping' });
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let failure: unknown;
    const tooLate = setTimeout(() => {
      failure = new PmanClientError('unreachable', 'the stream of events does not begin');
      this.#stop.abort();
    }, OPEN_MS);
    const onAlive = () => {
      clearTimeout(tooLate);
      this.#isOpen = true;
      this.#tellSoon();
    };
    try {
      const after = this.#seq === undefined ? {} : { after: this.#seq };
      for await (const event of this.#client.events(after, { signal, onAlive })) {
        this.#seq = event.seq;
        this.#batch.push(event);
        this.#tellSoon();
      }
    } catch (error) {
      failure ??= error;
    }
    clearTimeout(tooLate);
    if (this.#members.size === 0) return;
    if (this.#batch.length > 0) this.#tellNow();
    const failed = failureOf(failure);
    for (const member of this.#members.keys()) member.tell(failed);
    this.#members.clear();
    this.#end();
  }

  /** What comes in one piece is told in one. */
  #tellSoon(): void {
    this.#timer ??= setTimeout(() => this.#tellNow());
  }

  #tellNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#batch;
    this.#batch = [];
    for (const [member, waiting] of this.#members) {
      if (waiting === undefined) tell(member, events);
      else waiting.push(...events);
    }
  }

  /** Tells a window what it has missed before the stream was there. */
  async #catchUp(member: Member, from: number): Promise<void> {
    const { signal } = this.#stop;
    // Of what the stream had before, nothing more comes by it.
    const until = this.#seq ?? Number.POSITIVE_INFINITY;
    try {
      for (let after = from; after < until; ) {
        const { events, next } = await this.#client.eventPage({ after }, { signal });
        if (!this.#members.has(member)) return;
        tell(member, events);
        if (events.length === 0) break;
        after = next;
      }
      const waiting = this.#members.get(member);
      this.#members.set(member, undefined);
      tell(member, waiting ?? []);
    } catch (error) {
      if (!this.#members.has(member)) return;
      member.tell(failureOf(error));
      this.leave(member);
    }
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#onEnd();
  }
}

function tell(member: Member, all: readonly JobEvent[]): void {
  const { seen = 0 } = member;
  const events = all.filter(({ seq }) => seq > seen);
  member.seen = events.at(-1)?.seq ?? member.seen;
  member.tell({ kind: 'news', events });
}

function failureOf(error: unknown): ToWindow {
  const { code = 'unreachable', message = '', status } = (error ?? {}) as Partial<PmanClientError>;
  return { kind: 'failed', code, message, status };
}
