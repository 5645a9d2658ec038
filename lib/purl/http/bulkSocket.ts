import type { IncomingMessage } from 'node:http';
import { Duplex, finished, Readable } from 'node:stream';
import { BlockRing } from '../../transfer/blockRing.ts';
import { ChunkScan } from './chunkScan.ts';
import { closeBehind } from './closeBehind.ts';
import { headEnd } from './head.ts';
import { MAX_HEAD_BYTES } from './oldHttp.ts';

/** An answer whose content comes in chunks, and the head of one that comes before it. */
const BULK_HEAD = /^HTTP\/1\.1 20[06] .*\r\n(?:.+\r\n)*?transfer-encoding: *chunked\r\n/i;
const INTERIM_HEAD = /^HTTP\/1\.1 1\d\d /;
const WAITING_BYTES = 1024 * 1024;

/**
 * A connection that takes the content out of a long chunked answer before Node's HTTP parser sees it: the parser copies
 * each piece into new memory. The parser gets the head, and at the end the last chunk with the trailers: to Node the
 * answer has no content. Any other answer the parser gets as it is.
 */
export class BulkSocket extends Duplex {
  /** For `net.connect`: what is read goes into blocks that are used again. */
  readonly onread = {
    buffer: () => this.#ring.room,
    callback: (bytes: number) => this.#came(bytes),
  };
  /** The content of such an answer. */
  readonly content: Readable;
  readonly #ring = new BlockRing();
  readonly #scan = new ChunkScan();
  #socket: Duplex | undefined;
  #goesTo: 'head' | 'content' | 'parser' = 'head';
  #head = Buffer.alloc(0);
  #isBulk = false;

  constructor() {
    super({ allowHalfOpen: true });
    this.content = new Readable({
      highWaterMark: WAITING_BYTES,
      read: () => {
        if (this.#goesTo === 'content') this.#socket?.resume();
      },
    });
    // Nobody may be reading it when the connection breaks.
    this.content.on('error', () => {});
  }

  /** Whether the answer has its content here. */
  get isBulk(): boolean {
    return this.#isBulk;
  }

  /** The connection that was made with `onread`. */
  attach(socket: Duplex): this {
    this.#socket = socket;
    socket.once('end', () => this.push(null));
    closeBehind(this, socket);
    return this;
  }

  /** Takes what has come into the room; returns whether more may come at once. */
  #came(bytes: number): boolean {
    const goesOn = this.#take(0, bytes);
    this.#ring.filled(bytes);
    return goesOn;
  }

  #take(from: number, to: number): boolean {
    if (this.#goesTo === 'content') return this.#takeContent(from, to);
    // The parser keeps what it gets.
    const piece = Buffer.from(this.#ring.room.subarray(from, to));
    if (this.#goesTo === 'parser') return this.push(piece);
    const before = this.#head.length;
    this.#head = Buffer.concat([this.#head, piece]);
    const end = headEnd(this.#head);
    if (end === undefined && this.#head.length < MAX_HEAD_BYTES) return true;
    const head = this.#head.subarray(0, end);
    this.#head = Buffer.alloc(0);
    const start = head.toString('latin1');
    if (BULK_HEAD.test(start)) {
      this.#goesTo = 'content';
      this.#isBulk = true;
    } else if (!INTERIM_HEAD.test(start)) this.#goesTo = 'parser';
    const goesOn = this.push(head);
    const next = from + head.length - before;
    return next < to ? this.#take(next, to) : goesOn;
  }

  #takeContent(from: number, to: number): boolean {
    let goesOn = true;
    for (const found of this.#scan.scan(this.#ring.room.subarray(from, to))) {
      if (found.kind === 'content') {
        goesOn = this.content.push(this.#ring.piece(from + found.from, from + found.to));
        continue;
      }
      this.#goesTo = 'parser';
      goesOn = this.push(Buffer.from(found.instead));
      const next = from + found.at;
      if (next < to) goesOn = this.#take(next, to);
    }
    return goesOn;
  }

  override _read(): void {
    if (this.#goesTo !== 'content') this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#socket?.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket?.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.destroy();
    done(error);
  }
}

/** The content of an answer, also of one to a request that asked for `bulk`. It fails when the answer breaks off. */
export function contentOf(answer: IncomingMessage): Readable {
  const socket: Duplex = answer.socket;
  if (!(socket instanceof BulkSocket) || !socket.isBulk) return answer;
  const { content } = socket;
  // It may have broken off by now. To Node it has no content, but an end and trailers.
  finished(answer, (error) => {
    if (error) content.destroy(error);
    else content.push(null);
  });
  answer.resume();
  content.once('close', () => {
    if (!answer.readableEnded) answer.destroy();
  });
  return content;
}
