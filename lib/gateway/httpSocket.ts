import type { Duplex } from 'node:stream';
import type { Logger } from '../log.ts';
import type { Admission, GatewayReply, HttpLimits, RequestHandler } from './types.ts';

/** A stream that can carry HTTP: what this file and node:http call on it beyond Duplex. */
export interface HttpSocket extends Duplex {
  setTimeout(timeoutMs: number): this;
  destroySoon(): void;
  /** Input from now on is not looked at. */
  discardInput(): void;
  /** Input is kept back until `releaseInput`. */
  holdInput(): void;
  releaseInput(): void;
  /**
   * Has each message of input shown to `take` first, which says whether it has taken it; what it has not taken is read off the
   * stream. Not every socket has messages.
   */
  showInput?(take: ((bytes: Buffer) => boolean) | undefined): void;
  /** Where it may come from; see RequestHead.from. */
  readonly addresses?: (() => readonly string[]) | undefined;
}

export interface HttpFrontOptions {
  readonly limits: HttpLimits;
  readonly log: Logger;
  readonly refusal: (status: number, message: string) => GatewayReply;
  readonly admit?: Admission | undefined;
  readonly handler: RequestHandler;
}
