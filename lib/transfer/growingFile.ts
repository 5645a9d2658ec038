import { createHash, type Hash } from 'node:crypto';
import { SteadyFile } from './steadyFile.ts';
import type { TreeEntry } from './tree.ts';

/** What was written so lately may be written to again while it is read. */
const YOUNG_MS = 10_000;
const READ_BYTES = 256 * 1024;

/**
 * A file to be read from its start to its end, which may be written to meanwhile. It is as long as it was when it was
 * opened. When it has changed by then it is read a second time: that finds the same only if there was a moment, between
 * the two, at which it began with just that. So a log that grows is read as it was, and nothing is ever torn.
 */
export class GrowingFile {
  readonly #file: SteadyFile;
  /** Of what was read; it takes its time, so only where it may be wanted. */
  readonly #sum: Hash | undefined;
  #at = 0;

  /** @throws SourceError when it cannot be opened */
  constructor(entry: TreeEntry) {
    this.#file = new SteadyFile(entry);
    const { mtimeNs } = this.#file;
    const isYoung = Number(mtimeNs / 1_000_000n) > Date.now() - YOUNG_MS;
    if (isYoung || mtimeNs !== entry.mtimeNs) this.#sum = createHash('sha256');
  }

  get size(): number {
    return this.#file.size;
  }

  get mode(): number {
    return this.#file.mode;
  }

  get mtimeNs(): bigint {
    return this.#file.mtimeNs;
  }

  /** Reads on; 0 at the end. @throws SourceError also when it has changed and not only grown */
  async read(buffer: Buffer): Promise<number> {
    const left = this.size - this.#at;
    const isKnown = this.#sum !== undefined && left > 0;
    const into = isKnown ? buffer.subarray(0, left) : buffer;
    try {
      const bytes = await this.#file.read(into, this.#at);
      if (bytes === 0) this.#file.checkUnchanged();
      this.#sum?.update(into.subarray(0, bytes));
      this.#at += bytes;
      return bytes;
    } catch (error) {
      if (left === 0 && (await this.#stillBeginsSo())) return 0;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #stillBeginsSo(): Promise<boolean> {
    if (this.#sum === undefined) return false;
    const sum = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (let at = 0; at < this.size; ) {
      const bytes = await this.#file.readAnyway(buffer.subarray(0, this.size - at), at);
      if (bytes === 0) return false;
      sum.update(buffer.subarray(0, bytes));
      at += bytes;
    }
    return sum.digest().equals(this.#sum.digest());
  }
}
