/** What a scan came upon: content from one byte to another, or where the parser goes on. */
export type Scanned =
  | { readonly kind: 'content'; readonly from: number; readonly to: number }
  /** From `at` on the HTTP parser reads, after it has been given `instead` of what came before. */
  | { readonly kind: 'end'; readonly at: number; readonly instead: string };

/** With extensions; those that we write have none. */
const MAX_LINE = 256;
const FIRST_LINE = /^([\da-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n$/i;
const NEXT_LINE = /^\r\n([\da-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n$/i;
const LINE_FEED = 0x0a;

/**
 * Follows a chunked body (RFC 9112, 7.1) as it comes, and tells its content from the lines round it. The last chunk,
 * with the trailers behind it, is left to the HTTP parser, and so is what is no chunk: it has the words for that.
 */
export class ChunkScan {
  /** Bytes of content that the chunk still has. */
  #left = 0;
  #line = '';
  #form = FIRST_LINE;

  /** What is in a piece of the body. The scan is over with `end`. */
  *scan(bytes: Buffer): Generator<Scanned> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const to = Math.min(bytes.length, at + this.#left);
        this.#left -= to - at;
        yield { kind: 'content', from: at, to };
        at = to;
        continue;
      }
      // The line feed behind content begins a line; the one that ends it comes later.
      const search = at + Math.max(0, (this.#form === NEXT_LINE ? 2 : 0) - this.#line.length);
      const found = bytes.indexOf(LINE_FEED, search);
      const to = found < 0 ? bytes.length : found + 1;
      this.#line += bytes.toString('latin1', at, Math.min(to, at + MAX_LINE));
      at = to;
      if (found < 0 && this.#line.length < MAX_LINE) continue;
      const size = this.#form.exec(this.#line)?.[1];
      this.#left = Number.parseInt(size ?? '', 16);
      if (size === undefined || this.#left === 0) {
        yield { kind: 'end', at, instead: size === undefined ? 'no chunk\r\n' : '0\r\n' };
        return;
      }
      this.#line = '';
      this.#form = NEXT_LINE;
    }
  }
}
