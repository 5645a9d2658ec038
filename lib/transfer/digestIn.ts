import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PmanError, systemErrorCode } from '../errors.ts';
import type { HeldTree } from './heldTree.ts';
import { KnownDigests } from './knownDigests.ts';

/** What tells whether a file is there already. */
export interface Digest {
  /** In hexadecimal. */
  readonly sha256: string;
  /** The permission bits that are kept on the way. */
  readonly mode: number;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** As they are kept of what arrives: no set-id bits. */
const KEPT_MODE = 0o1777;
const READ_BYTES = 256 * 1024;

/**
 * The digest of a file in a tree; undefined when there is no file of that name and size that can be read. Links are
 * not followed. What is among the known ones is not read again.
 */
export async function digestIn(
  tree: HeldTree,
  name: string,
  size: number,
  known = new KnownDigests(),
): Promise<Digest | undefined> {
  let file: FileHandle;
  try {
    // Nobody waits for the writer of a pipe.
    file = await open(tree.way(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // No folder above it, or a link in its place.
    if (error instanceof PmanError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const readMs = Date.now();
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile() || stats.size !== BigInt(size)) return undefined;
    const mode = Number(stats.mode) & KEPT_MODE;
    const before = known.find(stats);
    if (before !== undefined) return { sha256: before, mode };
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, size + 1));
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) {
        const sha256 = hash.digest('hex');
        const { ctimeNs } = await file.stat({ bigint: true });
        if (at === size && ctimeNs === stats.ctimeNs) known.add(stats, sha256, readMs);
        return { sha256, mode };
      }
      at += bytesRead;
      // It grows, perhaps as fast as it is read.
      if (at > size) return undefined;
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
