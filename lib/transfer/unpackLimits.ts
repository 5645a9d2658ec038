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
  checkAmount({ entries: entries.length, bytes, packed }, archiveBytes, limits);
  await checkFree(bytes, folder);
}

/** What an archive has in it. */
export interface Amount {
  readonly entries: number;
  readonly bytes: number;
  /** What the data of all entries takes in the archive. */
  readonly packed: number;
}

/** @throws PmanError `payload_too_large` for more than an archive of that size may have in it */
export function checkAmount(
  { entries, bytes, packed }: Amount,
  archiveBytes: number,
  limits: UnpackLimits,
): void {
  const allowed = Math.max(limits.maxBytes, MAX_RATIO * archiveBytes);
  const tooMuch =
    entries > limits.maxEntries
      ? `${entries} entries, ${limits.maxEntries} are allowed`
      : packed > archiveBytes
        ? 'entries that share their data'
        : bytes > allowed
          ? `${bytes} bytes unpacked, ${allowed} are allowed`
          : undefined;
  if (tooMuch === undefined) return;
  throw new PmanError('payload_too_large', `refused archive: it has ${tooMuch}`, {
    hint: 'if it is what it should be, raise the limit with --maxUnpack or send it in parts',
  });
}

/** @throws PmanError `storage` when there is no room for what an archive unpacks to */
export async function checkFree(bytes: number, folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes <= bavail * bsize) return;
  throw new PmanError(
    'storage',
    `no space left: the archive unpacks to ${bytes} bytes, ${bavail * bsize} are free in ${folder}`,
  );
}
