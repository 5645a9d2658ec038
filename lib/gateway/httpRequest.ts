import { HeaderLines } from './headerLines.ts';
import type { GatewayRequest } from './types.ts';

/** A request line, and the header lines behind it. */
export interface HttpHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly headers: HeaderLines;
}

/** A request as it was parsed. The header pairs and the signal are made when asked for. */
export class HttpRequest implements GatewayRequest {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly body: Buffer;
  readonly #from: (() => readonly string[]) | undefined;
  readonly #headers: HeaderLines;
  #abort: AbortController | undefined;
  #gone = false;

  /** @param from tells the addresses that the client may have */
  constructor(head: HttpHead, body: Buffer, from?: () => readonly string[]) {
    this.method = head.method;
    this.target = head.target;
    this.httpVersion = head.httpVersion;
    this.#headers = head.headers;
    this.body = body;
    this.#from = from;
  }

  get rawHeaders(): readonly (readonly [string, string])[] {
    return this.#headers.pairs;
  }

  get lines(): object | undefined {
    return this.#headers.isShared ? this.#headers : undefined;
  }

  get authorization(): string | undefined {
    return this.#headers.authorization;
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

/** The head of a request that node:http has parsed. */
export function headOf(message: {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}): HttpHead {
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    httpVersion: message.httpVersion,
    headers: new HeaderLines(message.rawHeaders),
  };
}
