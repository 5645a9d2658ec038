import type { BigIntStats } from 'node:fs';

/** Shorter files are read as quickly as they are looked up. */
const LEAST_BYTES = 64n * 1024n;
const MOST_FILES = 20_000;
/**
 * A file that changed less than this before it was read is not known by its times: a second change may have the same
 * time, and what is written through a mapping (mmap) may not show in them before the system writes it back, within 35 s.
 */
const SETTLED_MS = 60_000n;

/**
 * SHA-256 of files that were read before. A file is known by its device, inode, size and both of its times: nobody can
 * set the time of the last change (ctime) to what it was.
 */
export class KnownDigests {
  readonly #known = new Map<string, string>();

  /** The digest of a file; undefined when it has to be read. */
  find(stats: BigIntStats): string | undefined {
    return this.#known.get(nameOf(stats));
  }

  /** @param readMs when reading it began, since the epoch */
  add(stats: BigIntStats, sha256: string, readMs: number): void {
    const { size, ctimeMs, mtimeMs } = stats;
    const settled = BigInt(Math.floor(readMs)) - SETTLED_MS;
    if (size < LEAST_BYTES || ctimeMs > settled || mtimeMs > settled) return;
    this.#known.set(nameOf(stats), sha256);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_FILES && oldest !== undefined) this.#known.delete(oldest);
  }
}

function nameOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
