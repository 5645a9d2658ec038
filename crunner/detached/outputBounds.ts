import { statSync, truncateSync } from 'node:fs';
import { systemErrorCode } from '../../lib/errors.ts';
import type { StreamName } from './outputLog.ts';

/**
 * How much a part may write to each of its files, where nobody stands between it and them: it is seen when one has grown too
 * far, and what is too much is cut off at the end.
 */
export class OutputBounds {
  readonly #files: Readonly<Record<StreamName, string>>;
  readonly #maxBytes: number;

  constructor(files: Readonly<Record<StreamName, string>>, maxBytes: number) {
    this.#files = files;
    this.#maxBytes = maxBytes;
  }

  /** The stream to which too much was written; undefined while there is none. */
  overrun(): StreamName | undefined {
    return (['stdout', 'stderr'] as const).find((name) => this.#sizeOf(name) > this.#maxBytes);
  }

  /**
   * Cuts off what is too much. For when nobody writes any more.
   * @throws the file system's error
   */
  cut(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      if (this.#sizeOf(name) > this.#maxBytes) truncateSync(this.#files[name], this.#maxBytes);
    }
  }

  #sizeOf(name: StreamName): number {
    try {
      return statSync(this.#files[name]).size;
    } catch (error) {
      // Not made yet, or removed with its job.
      if (systemErrorCode(error) === undefined) throw error;
      return 0;
    }
  }
}
