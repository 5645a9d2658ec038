import { statfs } from 'node:fs/promises';
import { PmanError } from '../errors.ts';
import type { ArchiveEntry } from './zip/archiveReader.ts';

/** What an archive may become when it is unpacked. */
export interface UnpackLimits {
  /** Bytes that any archive may become, however small it is. */
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const DEFAULT_LIMITS: UnpackLimits = { maxBytes: 16 * 1024 ** 3, maxEntries: 5_000_000 };

// Real data of more than `maxBytes` hardly ever deflates to less than a twentieth.
const MAX_RATIO = 20;

/**
 * Refuses an archive that would become too much: more than `maxBytes` and 20 times its size, more
 * than what is free where it goes, or entries that share their data. The declared sizes are what is
 * looked at here; unpacking stops where an entry exceeds its own.
 * @throws PmanError `payload_too_large` or `storage`
 */
export async function checkLimits(
  entries: readonly ArchiveEntry[],
  archiveBytes: number,
  folder: string,
  limits: UnpackLimits,
): Promise<void> {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const packed = entries.reduce((sum, entry) => sum + entry.packedBytes, 0);
  const allowed = Math.max(limits.maxBytes, MAX_RATIO * archiveBytes);
  const tooMuch =
    entries.length > limits.maxEntries
      ? `${entries.length} entries, ${limits.maxEntries} are allowed`
      : packed > archiveBytes
        ? 'entries that share their data'
        : bytes > allowed
          ? `${bytes} bytes unpacked, ${allowed} are allowed`
          : undefined;
  if (tooMuch !== undefined) {
    throw new PmanError('payload_too_large', `refused archive: it has ${tooMuch}`, {
      hint: 'if it is what it should be, raise the limit with --maxUnpack or send it in parts',
    });
  }
  const { bavail, bsize } = await statfs(folder);
  if (bytes > bavail * bsize) {
    throw new PmanError(
      'storage',
      `no space left: the archive unpacks to ${bytes} bytes, ${bavail * bsize} are free in ${folder}`,
    );
  }
}
