import { type JobEvent, PmanClient, PmanClientError, type Transport } from '../../client/index.ts';
import type { Keeper } from './keeper.ts';

/** How the page stands with its server. */
export type Contact =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Nothing can be asked now; what is shown is from then. Times in milliseconds since 1970. */
  | { readonly kind: 'away'; readonly since: number; readonly nextAt: number }
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
}

const TOKEN = 'pman token';
/** Pauses between tries, in milliseconds; the last one stays. */
const PAUSES = [1000, 2000, 4000, 8000, 16_000, 30_000] as const;
/** Behind a hidden tab nobody looks: after this long it lets go of its connection. */
const HIDDEN_MS = 30_000;

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
  #wake: (() => void) | undefined;
  #tries = 0;
  #seen: number | undefined;
  #loads = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
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

  /** Tries now, and does not wait for the next time. */
  now(): void {
    this.#wake?.();
  }

  /** Takes a token, and begins anew with it; an empty one is forgotten. */
  useToken(token: string): void {
    if (token === '') this.#options.storage.removeItem(TOKEN);
    else this.#options.storage.setItem(TOKEN, token);
    [this.#client, this.#patient] = this.#connect();
    this.#seen = undefined;
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
    return [
      // The page itself says when it tries again, and lets people see that.
      new PmanClient({ ...options, patienceMs: 0 }),
      new PmanClient({ ...options, patienceMs: Number.POSITIVE_INFINITY }),
    ];
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const anew = this.#seen === undefined;
        const known = await this.#options.load({ anew });
        // What lies behind the first page is brought up to date by the events since then.
        this.#seen ??= known;
        if (signal.aborted) return;
        if (anew) this.#loads += 1;
        this.#tries = 0;
        this.#become({ kind: 'live' });
        const after = this.#seen === undefined ? {} : { after: this.#seen };
        for await (const event of this.#client.events(after, { signal })) {
          if (signal.aborted) return;
          this.#seen = event.seq;
          this.#options.onEvent(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isUnauthorized(error)) {
          this.#become({ kind: 'token', wasRefused: this.hasToken });
          return;
        }
        if (isRefused(error)) {
          this.#become({ kind: 'refused', error });
          return;
        }
        if (isGone(error)) this.#seen = undefined;
        else await this.#rest(signal);
      }
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const ms = PAUSES[Math.min(this.#tries, PAUSES.length - 1)] ?? 0;
    this.#tries += 1;
    const { kind } = this.#contact;
    const since = this.#contact.kind === 'away' ? this.#contact.since : Date.now();
    if (kind !== 'token') this.#become({ kind: 'away', since, nextAt: Date.now() + ms });
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#wake = end;
      signal.addEventListener('abort', end);
    });
    this.#wake = undefined;
  }

  #become(contact: Contact): void {
    this.#contact = contact;
    this.#options.onChange();
  }
}

/** What tells whether somebody sees the page. */
interface Shown {
  readonly visibilityState: string;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
}

/** Lets go of the connection when the tab has been hidden for long, and begins anew when it is seen again. */
export function restWhileHidden(
  document: Shown,
  live: Pick<Live, 'pause' | 'start' | 'contact'>,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isResting = false;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') {
      timer = setTimeout(() => {
        isResting = true;
        live.pause();
      }, HIDDEN_MS);
    } else if (isResting) {
      isResting = false;
      if (live.contact.kind !== 'token') live.start();
    }
  });
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
