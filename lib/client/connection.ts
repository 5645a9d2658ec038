import { onAbort } from '../onAbort.ts';
import {
  inDoubt,
  isPassing,
  mayHaveArrived,
  noPman,
  PmanClientError,
  refusal,
} from './clientError.ts';
import { requireSendable } from './headerValue.ts';
import { Retries } from './retryPauses.ts';
import type { Answer, Transport } from './transport.ts';

export interface PmanClientOptions {
  /** Where pman is: `http://host:5010`. */
  readonly url: string | URL;
  /** Sent with each request as `Authorization: Bearer`; a function is asked each time. */
  readonly token?: string | (() => string | Promise<string>);
  /** For how long a server that does not answer is asked again, in milliseconds; 0: not at all. Default: 60,000. */
  readonly patienceMs?: number;
  /** Told when what is tried again finds no server (`false`), and when that is there again (`true`). */
  readonly onConnection?: (isThere: boolean) => void;
  /** Sends the requests; default: the `fetch` of the browser or of Node. */
  readonly fetch?: Transport;
}

/** A member that the JSON of an answer has, and of which type: what lacks it is no answer of pman. */
export type Has = readonly [member: string, type: 'string' | 'number' | 'list' | 'object'];

export interface Call {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** Below `/api/v2`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes as they are, with the type that `headers` say. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may be sent twice, since the second time changes nothing. Default: what is no POST may. */
  readonly isRepeatable?: boolean;
  /** The key with which a second request makes nothing new: it is sent again when the answer may be lost. */
  readonly key?: string;
  /** How long the answer may take to begin, in milliseconds. */
  readonly limitMs?: number;
  readonly has?: Has;
  /** Statuses that are answers and no failures, beside 2xx. */
  readonly takes?: readonly number[];
}

/** An answer that has begun; to be closed by whoever does not read it to its end. */
export interface OpenAnswer {
  readonly response: Answer;
  /** Breaks the connection off. */
  close(): void;
}

const DEFAULT_PATIENCE_MS = 60_000;
const ANSWER_LIMIT_MS = 60_000;
/** For how long an answer is asked for again that may be lost, with whatever patience: a restart takes less. */
const LOST_ANSWER_MS = 10_000;

/** The way to one server: address, token, retries. */
export class Connection {
  readonly patienceMs: number;
  readonly #base: string;
  readonly #token: PmanClientOptions['token'];
  readonly #fetch: Transport;
  readonly #onConnection: PmanClientOptions['onConnection'];
  #isLost = false;

  /** @throws TypeError for what is no URL, or one that no pman can have; it does not tell a password */
  constructor(options: PmanClientOptions) {
    const { url, token, patienceMs = DEFAULT_PATIENCE_MS, fetch: own, onConnection } = options;
    this.#onConnection = onConnection;
    const { href, protocol, username, password } = new URL(url);
    if (!/^https?:$/.test(protocol)) throw new TypeError(`${protocol} is neither http: nor https:`);
    // No request may have it in its address.
    if (username + password) throw new TypeError('the URL has a user or password: give a token');
    this.#base = href.replace(/\/+$/, '');
    this.#token = token;
    this.patienceMs = patienceMs;
    // A browser's fetch has to be called as its own.
    this.#fetch = own ?? ((address, sending) => fetch(address, sending));
  }

  /** For what is tried again with the patience of this connection, or another one; it hears when that is lost. */
  retries(
    signal: AbortSignal | undefined,
    onPause?: (pauseMs: number) => void,
    patienceMs = this.patienceMs,
  ): Retries {
    return new Retries(patienceMs, signal, (pauseMs, failure) => {
      if (!(failure instanceof StreamEnded)) this.#tell(true);
      onPause?.(pauseMs);
    });
  }

  #tell(isLost: boolean): void {
    if (this.#isLost === isLost) return;
    this.#isLost = isLost;
    this.#onConnection?.(!isLost);
  }

  /**
   * Sends a request and gives the answer once its head is there.
   * @throws PmanClientError when the server refuses, or does not answer; the signal's reason when that is given
   */
  open(call: Call): Promise<OpenAnswer> {
    return this.#try(call, (answer) => Promise.resolve(answer));
  }

  /**
   * Sends a request and gives what is made of its answer, which is read to its end.
   * @throws PmanClientError as `open` does
   */
  read<T>(call: Call, make: (response: Answer) => Promise<T>): Promise<T> {
    return this.#try(call, async ({ response, close }) => {
      try {
        return await make(response);
      } catch (cause) {
        throw broken(cause);
      } finally {
        close();
      }
    });
  }

  /**
   * The body as JSON; undefined for none.
   * @throws PmanClientError bad_answer, too, for what pman does not answer to that call
   */
  json<T>(call: Call): Promise<T> {
    return this.read(call, async (response) => {
      const text = await response.text();
      const { status } = response;
      const value = status === 204 ? undefined : this.parsed(text, status);
      if (call.has !== undefined && !hasMember(value, call.has)) {
        throw noPman(this.#base, `there is no "${call.has[0]}" in its answer`, { status });
      }
      return value as T;
    });
  }

  /** A JSON text of the server. @throws PmanClientError bad_answer for what is none */
  parsed(text: string, status?: number): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw noPman(this.#base, 'its answer is no JSON', { status, cause });
    }
  }

  /** @throws PmanClientError bad_answer for an answer that says that it is no stream of events: none would come, for ever */
  requireStream({ response, close }: OpenAnswer): void {
    const type = response.headers.get('content-type');
    if (type === null || /^text\/event-stream\b/i.test(type)) return;
    close();
    throw noPman(this.#base, `${type} in place of events`, { status: response.status });
  }

  async #try<T>(call: Call, take: (answer: OpenAnswer) => Promise<T>): Promise<T> {
    const { signal, method = 'GET', key, isRepeatable = method !== 'POST' } = call;
    const retries = this.retries(signal, undefined, isRepeatable ? this.patienceMs : 0);
    let isInDoubt = false;
    for (;;) {
      try {
        return await take(await this.#once(method, call));
      } catch (error) {
        if (key !== undefined && mayHaveArrived(error)) {
          isInDoubt = true;
          retries.extend(LOST_ANSWER_MS);
        }
        await retries.pause(error).catch((given: unknown) => {
          throw isInDoubt && key !== undefined && isPassing(given) ? inDoubt(given, key) : given;
        });
      }
    }
  }

  async #once(method: string, call: Call): Promise<OpenAnswer> {
    const { path, query = {}, headers = {}, body, signal, takes = [] } = call;
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    if (token !== undefined) requireSendable('token', token);
    const breaker = new AbortController();
    signal?.throwIfAborted();
    const forget = onAbort(signal, () => breaker.abort(signal?.reason));
    const close = () => {
      forget();
      breaker.abort();
    };
    const limitMs = call.limitMs ?? ANSWER_LIMIT_MS;
    const timer = setTimeout(() => breaker.abort(), limitMs);
    const url = `${this.#base}/api/v2${path}${queryText(query)}`;
    try {
      const response = await this.#fetch(url, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : {
              body:
                body instanceof Uint8Array
                  ? (body as Uint8Array<ArrayBuffer>)
                  : JSON.stringify(body),
            }),
        signal: breaker.signal,
      });
      const { status } = response;
      if (status < 500) this.#tell(false);
      if (response.ok || takes.includes(status)) {
        // pman has no such answer: a stream of it would be waited for, and an output taken for the job's.
        if (!/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) {
          return { response, close };
        }
        throw noPman(this.#base, 'it answered with a page', { status });
      }
      const text = await response.text();
      close();
      throw refusal(this.#base, response, text);
    } catch (cause) {
      close();
      signal?.throwIfAborted();
      if (cause instanceof PmanClientError) throw cause;
      throw unreachable(this.#base, cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

function hasMember(value: unknown, [member, type]: Has): boolean {
  const found: unknown = Object(value)[member];
  if (type === 'list') return Array.isArray(found);
  return found !== null && typeof found === type;
}

function unreachable(base: string, cause: unknown): PmanClientError {
  return new PmanClientError('unreachable', `no answer from ${base}`, {
    cause,
    hint: 'see whether pman runs there; a web page needs its origin in --allowOrigin',
  });
}

/** The server may be there all the same: it is asked next. */
class StreamEnded extends PmanClientError {}

/** A stream that its server has ended, as one does that is stopped. */
export function streamEnded(): PmanClientError {
  return new StreamEnded('unreachable', 'the server has ended the stream');
}

/** An answer that broke off before its end; an error of ours as it is. */
export function broken(cause: unknown): PmanClientError {
  if (cause instanceof PmanClientError) return cause;
  return new PmanClientError('unreachable', 'the answer broke off', { cause });
}

/** `?a=1&b=x,y` of what is given. */
function queryText(query: Readonly<Record<string, unknown>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    // A label may have a comma in it.
    if (name === 'label' && Array.isArray(value))
      for (const one of value) given.append(name, String(one));
    else given.set(name, value instanceof Date ? value.toISOString() : String(value));
  }
  return given.size === 0 ? '' : `?${given}`;
}
