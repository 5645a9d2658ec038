import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { makeFolder } from './folders.ts';
import { requireHeld } from './heldFolders.ts';
import { PRIVATE, type Rights } from './rights.ts';

/** Files that are whole whenever somebody reads them: written under a draft's name, then renamed. */

export interface ReplaceOptions {
  /** Of the file, and of its folder where that has to be made. Default: for this user alone. */
  readonly rights?: Rights;
  /** Whether to have the disk confirm it: then a power failure loses nothing either. */
  readonly fsync?: boolean;
  /** A folder on the same file system where the draft is written; default: the file's own. */
  readonly drafts?: string;
}

/**
 * Writes a file; a reader sees the old one or the new one. A link in its place is replaced, not followed. With
 * `drafts`, the file's own folder is made where it is missing.
 * @throws the file system's error; the old file is whole then, and no draft is left
 */
export function replaceFile(
  path: string,
  data: string | Uint8Array,
  { rights = PRIVATE, fsync = false, drafts = dirname(path) }: ReplaceOptions = {},
): void {
  requireHeld(path);
  withDraft(drafts, (draft) => {
    writeNewFile(draft, data, { rights, fsync });
    renameInto(draft, path, rights);
  });
  if (fsync) syncFolder(dirname(path));
}

/**
 * Calls `write` with a path in `folder` that nobody knows beforehand. What is there when it throws is removed: a write
 * that is refused is tried again and again, and what it leaves behind would fill the disk.
 */
export function withDraft<T>(folder: string, write: (draft: string) => T): T {
  const draft = join(folder, `.draft-${randomUUID()}`);
  try {
    return write(draft);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Writes a file that is not there yet, and follows no link. */
export function writeNewFile(
  path: string,
  data: string | Uint8Array,
  { rights = PRIVATE, fsync = false }: Pick<ReplaceOptions, 'rights' | 'fsync'> = {},
): void {
  const fd = openSync(path, 'wx', rights.file);
  try {
    writeFileSync(fd, data);
    if (fsync) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Has the disk confirm what was made, renamed and removed in a folder: a rename is on the disk once its folder is. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function renameInto(from: string, to: string, rights: Rights): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    makeFolder(dirname(to), rights.folder);
    renameSync(from, to);
  }
}
