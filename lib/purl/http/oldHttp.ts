import { Duplex } from 'node:stream';

const STATUS_LINE = 'HTTP/1.0 200 OK\r\n';

/**
 * A connection whose answer is given the HTTP head it lacks. The Python pfioh answers most requests
 * with a bare body, and some with headers that no status line precedes; no HTTP parser takes that.
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
    socket.once('error', (error) => this.destroy(error));
    socket.once('close', () => this.destroy());
  }

  /** What to hand on, once enough has come to tell how the answer starts. */
  #begin(chunk: Buffer, ended: boolean): Buffer | undefined {
    const seen = Buffer.concat([this.#first ?? Buffer.alloc(0), chunk]);
    const start = seen.subarray(0, 64).toString('latin1');
    if (seen.length === 0 || (!ended && seen.length < 5)) {
      this.#first = seen;
      return undefined;
    }
    this.#first = undefined;
    if (start.startsWith('HTTP/')) return seen;
    if (/^(?:Server|Date|Content-[A-Za-z]+): /i.test(start)) {
      return Buffer.concat([Buffer.from(STATUS_LINE), seen]);
    }
    // Only JSON comes bare. Anything else goes on as it is, for the HTTP parser to refuse.
    if (!/^\s*[{["]/.test(start)) return seen;
    return Buffer.concat([Buffer.from(`${STATUS_LINE}\r\n`), seen]);
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
