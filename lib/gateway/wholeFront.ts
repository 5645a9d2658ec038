import { WholeWriter } from './answerWriter.ts';
import type { BodyBudget } from './body.ts';
import type { HttpConnection } from './httpConnection.ts';
import type { HttpFrontOptions, MessageSocket } from './httpSocket.ts';
import { readWhole } from './wholeRequest.ts';

export interface WholeFrontOptions extends HttpFrontOptions {
  readonly budget: BodyBudget;
  /** Has node:http read the connection from now on. */
  readonly handOver: () => void;
}

/**
 * Reads a connection as long as each of its requests comes in one piece and is plain, as those of programs are: that costs a
 * third of what node:http takes. With the first bytes that are anything else the connection is node's, for good.
 */
export class WholeFront {
  readonly #socket: MessageSocket;
  readonly #connection: HttpConnection;
  readonly #options: WholeFrontOptions;
  readonly #onTimeout: () => void;

  constructor(socket: MessageSocket, connection: HttpConnection, options: WholeFrontOptions) {
    this.#socket = socket;
    this.#connection = connection;
    this.#options = options;
    const { headersTimeoutMs, requestTimeoutMs } = options.limits;
    const firstMs = Math.min(headersTimeoutMs, requestTimeoutMs);
    this.#onTimeout = () => {
      if (connection.hasServed) socket.destroy();
      else connection.breakOff(408, 'The request did not come in whole in time.');
    };
    socket.on('timeout', this.#onTimeout);
    socket.setTimeout(firstMs);
    // Nothing is read off the stream until it is node's; its end has to be seen all the same.
    socket.resume();
  }

  /** Takes the bytes of one message; false when they are node's to read, as is all that follows. */
  take(bytes: Buffer): boolean {
    const { limits, budget, handOver } = this.#options;
    // A long head may be too long, as node counts.
    const whole = readWhole(bytes, limits.maxHeaderBytes / 2);
    const length = whole?.body.length ?? 0;
    const hasRoom =
      length <= limits.maxBodyBytes && budget.heldBytes + length <= limits.maxHeldBytes;
    if (whole === undefined || !hasRoom) {
      this.#socket.off('timeout', this.#onTimeout);
      this.#socket.setTimeout(0);
      handOver();
      return false;
    }
    this.#socket.setTimeout(0);
    const writer = new WholeWriter(this.#socket, whole.head.method);
    this.#connection.submitWhole(whole, writer, budget);
    return true;
  }
}
