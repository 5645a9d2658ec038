import { createHash, hash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { PmanError, systemErrorCode } from '../errors.ts';
import type { HeldTree } from './heldTree.ts';
import { KnownDigests } from './knownDigests.ts';

const readAsync = promisify(read);

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
/** What has less is read at once: the way to another thread and back takes longer. */
const SMALL_BYTES = 64 * 1024;
const small = Buffer.allocUnsafeSlow(SMALL_BYTES + 1);

/**
 * The digest of a file in a tree; undefined when there is no file of that name and size that can be read. Links are
 * not followed. What is among the known ones is not read again. Small files are read without a pause: whoever asks for
 * many lets others have their turn in between.
 */
export async function digestIn(
  tree: HeldTree,
  name: string,
  size: number,
  known = new KnownDigests(),
): Promise<Digest | undefined> {
  let fd: number;
  try {
    // Nobody waits for the writer of a pipe.
    fd = openSync(tree.way(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // No folder above it, or a link in its place.
    if (error instanceof PmanError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const readMs = Date.now();
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile() || stats.size !== BigInt(size)) return undefined;
    const before = known.find(stats);
    const sha256 = before ?? (size <= SMALL_BYTES ? smallSum(fd, size) : await sumOf(fd, size));
    if (sha256 === undefined) return undefined;
    if (before === undefined) remember(known, { fd, stats, readMs }, sha256);
    return { sha256, mode: Number(stats.mode) & KEPT_MODE };
  } catch (error) {
    // What cannot be read (EIO) is nothing that is there.
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Undefined when it has another size by now. */
function smallSum(fd: number, size: number): string | undefined {
  let at = 0;
  for (;;) {
    const bytes = readSync(fd, small, at, size + 1 - at, at);
    at += bytes;
    if (at > size) return undefined;
    if (bytes === 0 || at === size) break;
  }
  return at === size ? hash('sha256', small.subarray(0, size)) : undefined;
}

async function sumOf(fd: number, size: number): Promise<string | undefined> {
  const sum = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, at);
    if (bytesRead === 0) return at === size ? sum.digest('hex') : undefined;
    at += bytesRead;
    // It grows, perhaps as fast as it is read.
    if (at > size) return undefined;
    sum.update(buffer.subarray(0, bytesRead));
  }
}

interface Read {
  readonly fd: number;
  readonly stats: BigIntStats;
  readonly readMs: number;
}

function remember(known: KnownDigests, { fd, stats, readMs }: Read, sha256: string): void {
  if (Number(stats.size) <= SMALL_BYTES) return;
  const { ctimeNs } = fstatSync(fd, { bigint: true });
  if (ctimeNs === stats.ctimeNs) known.add(stats, sha256, readMs);
}
