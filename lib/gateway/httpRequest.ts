import type { IncomingMessage } from 'node:http';
import type { GatewayRequest } from './types.ts';

/** A request as node:http parsed it. The header pairs and the signal are made when asked for. */
export class HttpRequest implements GatewayRequest {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly body: Buffer;
  readonly #from: (() => readonly string[]) | undefined;
  readonly #flatHeaders: readonly string[];
  #abort: AbortController | undefined;
  #gone = false;

  /** @param from tells the addresses that the client may have */
  constructor(message: IncomingMessage, body: Buffer, from?: () => readonly string[]) {
    this.method = message.method ?? '';
    this.target = message.url ?? '';
    this.httpVersion = message.httpVersion;
    this.#flatHeaders = message.rawHeaders;
    this.body = body;
    this.#from = from;
  }

  get rawHeaders(): readonly (readonly [string, string])[] {
    const pairs: (readonly [string, string])[] = [];
    for (let i = 0; i + 1 < this.#flatHeaders.length; i += 2) {
      pairs.push([this.#flatHeaders[i] ?? '', headerText(this.#flatHeaders[i + 1] ?? '')]);
    }
    return pairs;
  }

  /** Of two, a proxy may have looked at the other one: then it is none, which lets nobody in. */
  get authorization(): string | undefined {
    const [value, ...more] = headerValues(this.#flatHeaders, 'authorization');
    if (more.length > 0) return '';
    return value === undefined ? undefined : headerText(value);
  }

  get from(): readonly string[] {
    return this.#from?.() ?? [];
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** The client is gone. */
  clientLeft(): void {
    this.#gone = true;
    this.#abort?.abort();
  }
}

/**
 * What a header's value says: node gives each byte as a character of its own, clients send UTF-8, and the original
 * took it as that. Bytes that are none stay as node gives them.
 */
function headerText(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

/** The values of all headers of that (lower-case) name in node's flat list. */
export function headerValues(flatHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < flatHeaders.length; i += 2) {
    const candidate = flatHeaders[i];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) {
      values.push(flatHeaders[i + 1] ?? '');
    }
  }
  return values;
}

/** The first of them. */
export function headerValue(flatHeaders: readonly string[], name: string): string | undefined {
  return headerValues(flatHeaders, name)[0];
}
