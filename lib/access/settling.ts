/** One version of a file, as the system tells it. */
export interface FileVersion {
  /** Changes whenever the file does; empty when it is not there. */
  readonly stamp: string;
  /** Which file it is: another one when one was put in its place. */
  readonly identity: string;
  /** Whether it was moved, or its rights were changed, after it was written last. */
  readonly isMoved: boolean;
}

/** So long a file has to stay as it is before it counts, in milliseconds. */
const QUIET_MS = 100;
/** The same for one that looks as if its end had not been written yet. */
const CUT_QUIET_MS = 1000;
/** Whoever goes on and on writing does not keep what he has written from counting. */
const LONGEST_MS = 2000;

/**
 * Decides when a text file that has changed counts. Whoever writes it in place empties it first, and may write it in
 * pieces: half of it would take away the tokens of the other half for a moment, and let in the first half of one. So it
 * has to be left alone for a moment; for a longer one when it is the beginning of what was there, or its last line lacks
 * the end that it had. One that was put in the place of the other as a whole counts at once.
 */
export class Settling {
  #text: string;
  #counted: FileVersion;
  #pending: { readonly stamp: string; readonly sinceMs: number } | undefined;
  #firstMs = 0;

  /** @param text what counts now, and where it stood */
  constructor(text: string, counted: FileVersion) {
    this.#text = text;
    this.#counted = counted;
  }

  /**
   * Looks at the file again.
   * @param now in milliseconds
   * @returns the text that counts from now on; else after how many milliseconds to look again, undefined when nothing has
   * changed
   * @throws what `read` throws; that version is done with
   */
  look(
    file: { version(): FileVersion; read(): string },
    now: number,
  ): { readonly text: string } | { readonly againMs: number | undefined } {
    const version = file.version();
    const { stamp } = version;
    if (stamp === this.#counted.stamp) {
      this.#pending = undefined;
      return { againMs: undefined };
    }
    if (this.#pending === undefined) this.#firstMs = now;
    if (this.#pending?.stamp !== stamp) this.#pending = { stamp, sinceMs: now };
    const isReplaced = version.identity !== this.#counted.identity && version.isMoved;
    const quietMs = isReplaced ? LONGEST_MS : now - this.#pending.sinceMs;
    const leftMs = this.#firstMs + LONGEST_MS - now;
    if (quietMs < QUIET_MS && leftMs > 0) {
      return { againMs: Math.min(QUIET_MS - quietMs, leftMs) };
    }
    let text: string;
    try {
      text = file.read();
    } catch (error) {
      this.#done(version);
      throw error;
    }
    if (file.version().stamp !== stamp) return { againMs: QUIET_MS };
    if (quietMs < CUT_QUIET_MS && leftMs > 0 && this.#isPerhapsCut(text)) {
      return { againMs: Math.min(CUT_QUIET_MS - quietMs, leftMs) };
    }
    this.#done(version);
    this.#text = text;
    return { text };
  }

  #done(version: FileVersion): void {
    this.#counted = version;
    this.#pending = undefined;
  }

  #isPerhapsCut(text: string): boolean {
    const before = this.#text;
    if (text.length < before.length && before.startsWith(text)) return true;
    return text.trim() === '' || (before.endsWith('\n') && !text.endsWith('\n'));
  }
}
