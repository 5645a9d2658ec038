import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PmanError, systemErrorCode } from '../errors.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';
import type { TreeEntry } from './tree.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
// O_NONBLOCK: nobody waits for the writer of a pipe.
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/**
 * Opens a file that a walk of a tree has found: what is in its place in the tree by now, and never what a link leads
 * to that somebody has put there, or in the place of a folder above it.
 * @throws PmanError `conflict` when there is a link; when it cannot be read
 */
export async function openEntry(entry: TreeEntry): Promise<FileHandle> {
  const file = await openFile(entry, entry.path);
  if (isSame(entry, await file.stat({ bigint: true }))) return file;
  await file.close();
  const folder = folderOf(entry);
  try {
    return await openFile(entry, folder.way(entry.path));
  } finally {
    folder.close();
  }
}

function openFile(entry: TreeEntry, way: string): Promise<FileHandle> {
  return open(way, FLAGS).catch((cause: unknown) => {
    throw notOpened(entry, cause);
  });
}

/** As `openEntry`, at once; the number of the file is to be closed. @throws PmanError */
export function openEntrySync(entry: TreeEntry): number {
  const fd = openFileSync(entry, entry.path);
  if (isSame(entry, fstatSync(fd, { bigint: true }))) return fd;
  closeSync(fd);
  const folder = folderOf(entry);
  try {
    return openFileSync(entry, folder.way(entry.path));
  } finally {
    folder.close();
  }
}

function openFileSync(entry: TreeEntry, way: string): number {
  try {
    return openSync(way, FLAGS);
  } catch (cause) {
    throw notOpened(entry, cause);
  }
}

/** Whether it is the very file that was found, wherever the path leads by now. */
function isSame(entry: TreeEntry, { dev, ino }: BigIntStats): boolean {
  return entry.dev === dev && entry.ino === ino;
}

/** The folder that a file was found in, reached from where the walk started without following a link. */
function folderOf({ path, top }: TreeEntry): OpenFolder {
  let folder = OpenFolder.above(top.path, top.within);
  const names = relative(top.path, path).split('/').filter(Boolean);
  let at = top.path;
  for (const name of names) {
    const above = folder;
    try {
      folder = above.folder(at);
    } catch (cause) {
      throw replaced(path, cause);
    } finally {
      above.close();
    }
    at = join(at, name);
  }
  return folder;
}

function notOpened({ path }: TreeEntry, cause: unknown): PmanError {
  // What is a link now was none when it was found.
  return systemErrorCode(cause) === 'ELOOP'
    ? replaced(path, cause)
    : pathError(path, 'read', cause);
}

function replaced(path: string, cause: unknown): PmanError {
  return new PmanError('conflict', `a link took the place of ${path} while it was sent`, { cause });
}
