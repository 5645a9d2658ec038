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
  /** Where it may come from; see RequestHead.from. */
  readonly addresses?: (() => readonly string[]) | undefined;
}

/** Is told that something is written, or why it is not. */
export type WriteDone = (error?: Error | null) => void;

/** One whose bytes come and go in messages. */
export interface MessageSocket extends HttpSocket {
  /**
   * Has each message of input shown to `take` first, which says whether it has taken it; what it has not taken is read off the
   * stream.
   */
  showInput(take: ((bytes: Buffer) => boolean) | undefined): void;
  /**
   * Sends a text as one message, as UTF-8, without the cost of a stream. Nothing else may be written until `done` is called: the
   * client has not taken it all until then. With an error it never will.
   */
  writeMessage(text: string, done: WriteDone): void;
}

export function isMessageSocket(socket: HttpSocket): socket is MessageSocket {
  return 'showInput' in socket;
}

export interface HttpFrontOptions {
  readonly limits: HttpLimits;
  readonly log: Logger;
  readonly refusal: (status: number, message: string, target?: string) => GatewayReply;
  readonly admit?: Admission | undefined;
  readonly handler: RequestHandler;
}
