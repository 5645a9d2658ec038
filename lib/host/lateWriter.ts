/** How long a text waits for others, in milliseconds. */
const WAIT_MS = 100;
/** So much is written at once, in characters. */
const MOST = 64 * 1024;

/**
 * Collects short texts that can be made again, so that many of them take one call of the system: what is not written when
 * the process is killed is lost.
 */
export class LateWriter {
  readonly #write: (text: string) => void;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param write writes what has come together; it does not throw */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Takes a text; it is written within 100 ms. */
  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), WAIT_MS).unref();
  }

  /** Writes now what has come together. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#write(text);
  }
}
