import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PmanError, systemErrorCode } from '../errors.ts';
import { pathError } from './pathError.ts';
import type { TreeEntry } from './tree.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
// O_NONBLOCK: nobody waits for the writer of a pipe.
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/**
 * Opens a file that a walk of a tree has found, and no other: somebody may have put a link or another file in
 * its place, or in that of a folder above it, since then.
 * @throws PmanError `conflict` when it is not that file; when it cannot be read
 */
export async function openEntry(entry: TreeEntry): Promise<FileHandle> {
  const file = await open(entry.path, FLAGS).catch((cause: unknown) => {
    throw notOpened(entry, cause);
  });
  if (isSame(entry, await file.stat({ bigint: true }))) return file;
  await file.close();
  throw replaced(entry);
}

/** As `openEntry`, at once; the number of the file is to be closed. @throws PmanError */
export function openEntrySync(entry: TreeEntry): number {
  let fd: number;
  try {
    fd = openSync(entry.path, FLAGS);
  } catch (cause) {
    throw notOpened(entry, cause);
  }
  if (isSame(entry, fstatSync(fd, { bigint: true }))) return fd;
  closeSync(fd);
  throw replaced(entry);
}

function isSame(entry: TreeEntry, { dev, ino }: BigIntStats): boolean {
  return entry.dev === dev && entry.ino === ino;
}

function notOpened(entry: TreeEntry, cause: unknown): PmanError {
  // What is a link now was none when it was found.
  return systemErrorCode(cause) === 'ELOOP'
    ? replaced(entry, cause)
    : pathError(entry.path, 'read', cause);
}

function replaced({ path }: TreeEntry, cause?: unknown): PmanError {
  return new PmanError('conflict', `${path} was replaced while the tree was sent`, { cause });
}
