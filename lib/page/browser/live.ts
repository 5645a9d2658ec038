import { type JobEvent, PmanClient, PmanClientError, type Transport } from '../../client/index.ts';
import { Attempt } from './attempt.ts';
import type { Keeper } from './keeper.ts';
import { NotShared, type Shared, sharedEvents } from './stream/sharedEvents.ts';

/** How the page stands with its server. */
export type Contact =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /**
   * Nothing can be asked now; what is shown is from then, when something was heard last. Times in milliseconds since 1970.
   * `nextAt`: when it is tried again; undefined: just now.
   */
  | { readonly kind: 'away'; readonly since: number; readonly nextAt: number | undefined }
  /** The server wants a token, or another one. */
  | { readonly kind: 'token'; readonly wasRefused: boolean }
  /** The server answers, and refuses what the page asks: the same once more would be refused, too. */
  | { readonly kind: 'refused'; readonly error: unknown };

export interface LiveOptions {
  readonly url: string;
  /** What keeps texts for as long as the tab is open. */
  readonly storage: Keeper;
  /**
   * Loads what is shown first, and gives the number of the newest event that it knows; `anew`: nothing of what is shown may
   * stay, for what has happened to it is not known.
   */
  readonly load: (how: { readonly anew: boolean }) => Promise<number | undefined>;
  readonly onEvent: (event: JobEvent) => void;
  readonly onChange: () => void;
  readonly fetch?: Transport;
  /** Finds what holds one stream for all windows of this browser; where there is none, this window has its own. */
  readonly shared?: (() => Shared) | undefined;
}

const TOKEN = 'pman token';
/** Pauses between tries, in milliseconds; the last one stays. */
const PAUSES = [1000, 2000, 4000, 8000, 16_000, 30_000] as const;
/**
 * So long a server that was there may take until it is again, in milliseconds, for each of what is asked: one that hangs says
 * nothing. The first time it may be a slow one.
 */
const TRY_MS = 10_000;
const FIRST_TRY_MS = 30_000;

/**
 * The way to the server: it loads what is shown, follows the events behind that, and begins anew when the connection is
 * lost. The token is kept as long as the tab is open, and nowhere else.
 */
export class Live {
  readonly #options: LiveOptions;
  #contact: Contact = { kind: 'connecting' };
  #client: PmanClient;
  #patient: PmanClient;
  #round = new AbortController();
  /** Breaks off what is tried just now; undefined while nothing is. */
  #trying: AbortController | undefined;
  #shared: (() => Shared) | undefined;
  /** When the server was heard last. */
  #heardAt: number | undefined;
  #tries = 0;
  #seen: number | undefined;
  #loads = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#shared = options.shared;
    [this.#client, this.#patient] = this.#connect();
  }

  get contact(): Contact {
    return this.#contact;
  }

  /** How often all was loaded anew: events may have been missed before, so what was asked for then may be old. */
  get loads(): number {
    return this.#loads;
  }

  get client(): PmanClient {
    return this.#client;
  }

  /** One that goes on by itself when the server is back, for what is read for long. */
  get patientClient(): PmanClient {
    return this.#patient;
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  /** Begins, or begins anew; what was under way is given up. */
  start(): void {
    this.#round.abort();
    this.#round = new AbortController();
    void this.#run(this.#round.signal);
  }

  /** Lets go of the connection, as behind a tab that nobody sees. */
  pause(): void {
    this.#round.abort();
  }

  /** Tries now, and waits neither for the next time nor for what is being tried. */
  now(): void {
    if (this.#contact.kind === 'away') this.start();
  }

  /** Takes a token, and begins anew with it; an empty one is forgotten. */
  useToken(token: string): void {
    if (token === '') this.#options.storage.removeItem(TOKEN);
    else this.#options.storage.setItem(TOKEN, token);
    [this.#client, this.#patient] = this.#connect();
    this.#seen = undefined;
    this.#heardAt = undefined;
    this.#become({ kind: 'connecting' });
    this.start();
  }

  /** What an action has found out about the token: a server may want one from now on. */
  noticed(error: unknown): void {
    if (!isUnauthorized(error) || this.#contact.kind === 'token') return;
    this.#round.abort();
    this.#become({ kind: 'token', wasRefused: this.hasToken });
  }

  get #token(): string | null {
    return this.#options.storage.getItem(TOKEN);
  }

  #connect(): [PmanClient, PmanClient] {
    const token = this.#token;
    const { url, fetch: own } = this.#options;
    const options = { url, ...(token !== null && { token }), ...(own && { fetch: own }) };
    const send = own ?? ((address, sending) => fetch(address, sending));
    return [
      // The page itself says when it tries again, and lets people see that.
      new PmanClient({
        ...{ ...options, patienceMs: 0 },
        fetch: (address, sending) => {
          const signals = [sending.signal, this.#trying?.signal].filter((one) => one != null);
          return send(address, { ...sending, signal: AbortSignal.any(signals) });
        },
      }),
      new PmanClient({ ...options, patienceMs: Number.POSITIVE_INFINITY }),
    ];
  }

  async #run(round: AbortSignal): Promise<void> {
    while (!round.aborted) {
      const attempt = new Attempt(round, this.#heardAt === undefined ? FIRST_TRY_MS : TRY_MS);
      try {
        await this.#follow(attempt, round);
      } catch (error) {
        if (round.aborted) return;
        if (isUnauthorized(error)) {
          this.#become({ kind: 'token', wasRefused: this.hasToken });
          return;
        }
        if (isRefused(error)) {
          this.#become({ kind: 'refused', error });
          return;
        }
        if (isGone(error)) this.#seen = undefined;
        else await this.#rest(round);
      } finally {
        attempt.end();
      }
    }
  }

  /** Loads what is shown, and takes what happens then, until that ends. */
  async #follow(attempt: Attempt, round: AbortSignal): Promise<void> {
    if (this.#contact.kind === 'away') this.#become({ ...this.#contact, nextAt: undefined });
    const anew = this.#seen === undefined;
    this.#trying = attempt.breaker;
    const known = await this.#options.load({ anew }).finally(() => {
      if (this.#trying === attempt.breaker) this.#trying = undefined;
    });
    if (round.aborted) return;
    // What lies behind the first page is brought up to date by the events since then.
    this.#seen ??= known;
    if (anew) this.#loads += 1;
    this.#tries = 0;
    this.#heardAt = Date.now();
    this.#become({ kind: 'live' });
    attempt.again(TRY_MS);
    const onAlive = () => {
      attempt.worked();
      this.#heardAt = Date.now();
    };
    for await (const event of this.#events(attempt.breaker.signal, onAlive)) {
      if (round.aborted) return;
      this.#seen = event.seq;
      this.#options.onEvent(event);
    }
  }

  async *#events(signal: AbortSignal, onAlive: () => void): AsyncGenerator<JobEvent> {
    const after = this.#seen;
    if (this.#shared !== undefined) {
      try {
        const options = { token: this.#token, after, signal, onAlive };
        return yield* sharedEvents(this.#shared(), options);
      } catch (error) {
        if (!(error instanceof NotShared)) throw error;
        if (error.isForGood) this.#shared = undefined;
      }
    }
    yield* this.#client.events(after === undefined ? {} : { after }, { signal, onAlive });
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const ms = PAUSES[Math.min(this.#tries, PAUSES.length - 1)] ?? 0;
    this.#tries += 1;
    this.#heardAt ??= Date.now();
    this.#become({ kind: 'away', since: this.#heardAt, nextAt: Date.now() + ms });
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }

  #become(contact: Contact): void {
    this.#contact = contact;
    this.#options.onChange();
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof PmanClientError && error.status === 401;
}

function isGone(error: unknown): boolean {
  return error instanceof PmanClientError && error.code === 'gone';
}

/** What is to be tried again as it is: no answer in time, and too much at once. */
const PASSING: readonly number[] = [408, 425, 429];

function isRefused(error: unknown): boolean {
  if (!(error instanceof PmanClientError) || isGone(error)) return false;
  const { status = 0 } = error;
  return status >= 400 && status < 500 && !PASSING.includes(status);
}
