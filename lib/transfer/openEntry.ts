import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join, relative } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { OpenFolder } from './openFolder.ts';
import { SourceError, sourceError } from './sourceError.ts';
import type { TreeEntry } from './tree.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** How a file that is sent is opened. O_NONBLOCK: nobody waits for the writer of a pipe. */
export const ENTRY_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

export interface OpenedEntry {
  /** To be closed. */
  readonly fd: number;
  /** What the file was when it was opened. */
  readonly stats: BigIntStats;
}

/**
 * Opens a file that a walk of a tree has found: what is in its place in the tree by now, and never what a link leads
 * to that somebody has put there, or in the place of a folder above it.
 * @throws SourceError `conflict` when there is a link, or no file any more; when it cannot be read
 */
export function openEntry(entry: TreeEntry): OpenedEntry {
  const first = opened(entry, entry.path);
  if (isSame(entry, first.stats)) return first;
  closeSync(first.fd);
  const folder = folderOf(entry);
  try {
    return opened(entry, folder.way(entry.path));
  } finally {
    folder.close();
  }
}

function opened(entry: TreeEntry, way: string): OpenedEntry {
  let fd: number | undefined;
  try {
    fd = openSync(way, ENTRY_FLAGS);
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile()) return { fd, stats };
  } catch (cause) {
    if (fd !== undefined) closeSync(fd);
    throw notOpened(entry, cause);
  }
  closeSync(fd);
  throw new SourceError('conflict', `${entry.path} is no file any more`);
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

function notOpened({ path }: TreeEntry, cause: unknown): SourceError {
  // What is a link now was none when it was found.
  return systemErrorCode(cause) === 'ELOOP'
    ? replaced(path, cause)
    : sourceError(path, 'read', cause);
}

function replaced(path: string, cause: unknown): SourceError {
  return new SourceError('conflict', `a link took the place of ${path} while it was sent`, {
    cause,
  });
}
