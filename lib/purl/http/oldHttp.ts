import { Duplex } from 'node:stream';
import { closeBehind } from './closeBehind.ts';
import { headEnd, mendedHead } from './head.ts';

const STATUS_LINE = 'HTTP/1.0 200 OK\r\n';
/** As much of an answer's head is waited for as curl takes. */
export const MAX_HEAD_BYTES = 300 * 1024;

/**
 * A connection whose answer is given the HTTP head it lacks, or has one that no HTTP parser takes mended. The Python
 * pfioh answers most requests with a bare body, some with headers that no status line precedes, and some with a head
 * that begins twice.
 */
export class OldHttpSocket extends Duplex {
  readonly #socket: Duplex;
  #first: Buffer | undefined = Buffer.alloc(0);

  constructor(socket: Duplex) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const out = this.#first === undefined ? chunk : this.#begin(chunk, false);
      if (out !== undefined && !this.push(out)) socket.pause();
    });
    socket.once('end', () => {
      const out = this.#first === undefined ? undefined : this.#begin(Buffer.alloc(0), true);
      if (out !== undefined) this.push(out);
      this.push(null);
    });
    closeBehind(this, socket);
  }

  /** What to hand on, once enough has come to tell how the answer starts. */
  #begin(chunk: Buffer, ended: boolean): Buffer | undefined {
    const seen = Buffer.concat([this.#first ?? Buffer.alloc(0), chunk]);
    const start = seen.subarray(0, 64).toString('latin1');
    this.#first = seen;
    if (seen.length === 0 || (!ended && seen.length < 5)) return undefined;
    const isHeadless = /^(?:Server|Date|Content-[A-Za-z]+): /i.test(start);
    if (!isHeadless && !start.startsWith('HTTP/')) {
      this.#first = undefined;
      // Only JSON comes bare. Anything else goes on as it is, for the HTTP parser to refuse.
      return /^\s*[{["]/.test(start)
        ? Buffer.concat([Buffer.from(`${STATUS_LINE}\r\n`), seen])
        : seen;
    }
    const whole = isHeadless ? Buffer.concat([Buffer.from(STATUS_LINE), seen]) : seen;
    const end = headEnd(whole);
    if (end === undefined) {
      if (!ended && seen.length < MAX_HEAD_BYTES) return undefined;
      this.#first = undefined;
      return whole;
    }
    const head = mendedHead(whole.subarray(0, end));
    const rest = whole.subarray(end);
    // Behind `100 Continue` and its like another head comes.
    if (!/^HTTP\/[\d.]+ 1\d\d/.test(start)) {
      this.#first = undefined;
      return Buffer.concat([head, rest]);
    }
    this.#first = Buffer.alloc(0);
    const next = rest.length === 0 ? undefined : this.#begin(rest, ended);
    return next === undefined ? head : Buffer.concat([head, next]);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
