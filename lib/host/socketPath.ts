import { fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PmanError, systemErrorCode } from '../errors.ts';

/** A Unix socket's path may have 107 bytes (unix(7)), and who takes a folder adds some to the name. */
const MAX_SOCKET_PATH = 100;
/** Where this process finds its open files, and the folders among them, under short names. */
const OPEN_FILES = '/proc/self/fd';

/** The folders with long paths that are open, by path: for good, as closing a socket removes it by its path. */
const openFolders = new Map<string, number>();

/**
 * The path of a socket in a folder, which no other user can put another one in the place of. When it is too long for a
 * socket, it leads through the open folder: the socket lies there as well, and the path is good in this process only.
 * @throws PmanError storage when the path is too long and the system knows no other way; the system's error when there
 *   is no such folder
 */
export function socketPath(folder: string, name: string): string {
  const inside = join(folder, `${name}.sock`);
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  const path = `${OPEN_FILES}/${openFolder(folder)}`;
  try {
    statSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw new PmanError('storage', `the path of ${folder} is too long for a socket in it`, {
      hint: 'name a folder with a shorter path with --DBpath',
      cause: error,
    });
  }
  return join(path, `${name}.sock`);
}

function openFolder(folder: string): number {
  const known = openFolders.get(folder);
  if (known !== undefined && isSameFolder(known, folder)) return known;
  const fd = openSync(folder, 'r');
  openFolders.set(folder, fd);
  return fd;
}

/** Whether the folder was not removed and made anew meanwhile. */
function isSameFolder(fd: number, folder: string): boolean {
  const [open, now] = [fstatSync(fd), statSync(folder, { throwIfNoEntry: false })];
  return open.ino === now?.ino && open.dev === now.dev;
}
