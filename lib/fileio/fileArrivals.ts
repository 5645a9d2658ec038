import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * How often a file is looked for in a folder that tells changes, in milliseconds. What another machine does to a folder
 * that both mount is not told.
 */
const RARELY_MS = 5000;
/** How often in a folder that tells none, since it is not there or the system watches no more of them. */
const OFTEN_MS = 250;

/** Wakes whoever waits for a file to come, without many looks at a folder in which nothing happens. */
export class FileArrivals {
  readonly #folder: string;
  readonly #name: string;
  #watcher: FSWatcher | undefined;
  #watched: number | undefined;
  #hasCome = false;
  #wake: (() => void) | undefined;

  constructor(file: string) {
    this.#folder = dirname(file);
    this.#name = basename(file);
  }

  /** Watches the folder that has the name now: another one may have taken its place. To be called before each look. */
  watch(): void {
    const folder = statSync(this.#folder, { throwIfNoEntry: false })?.ino;
    if (this.#watcher !== undefined && folder === this.#watched) return;
    this.close();
    if (folder === undefined) return;
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, (_, name) => {
        if (name !== null && name !== this.#name) return;
        this.#hasCome = true;
        this.#wake?.();
      });
      this.#watcher.on('error', () => this.close());
      this.#watched = folder;
    } catch {
      // The system watches no more folders, or this one cannot be read: it is looked at often.
    }
  }

  /**
   * Waits until something may have happened to the file.
   * @param signal ends the wait
   * @param mostMs the longest wait; default: what the folder allows
   */
  async next(
    signal: AbortSignal,
    mostMs = this.#watcher === undefined ? OFTEN_MS : RARELY_MS,
  ): Promise<void> {
    if (!this.#hasCome && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, mostMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.#wake, { once: true });
      }).finally(() => {
        if (this.#wake !== undefined) signal.removeEventListener('abort', this.#wake);
      });
    }
    this.#wake = undefined;
    this.#hasCome = false;
  }

  /** Watches no more. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
  }
}
