import { lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { PmanError, systemErrorCode } from '../errors.ts';
import { isNoFolder, makeFolder } from '../host/folders.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';

/** What a path is, as both programs report it. */
export interface PathState {
  readonly status: boolean;
  readonly isfile: boolean;
  readonly isdir: boolean;
}

/** What is at a path, links followed unless `look` is lstat; undefined also when there is a file in place of a folder on the way. @throws PmanError */
export function statsOf(path: string, look: typeof statSync = statSync): Stats | undefined {
  try {
    return look(path);
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw pathError(path, 'look at', cause);
  }
}

/** @throws PmanError when it cannot be told */
export function pathState(path: string): PathState {
  const stats = statsOf(path);
  return {
    status: stats !== undefined,
    isfile: stats?.isFile() ?? false,
    isdir: stats?.isDirectory() ?? false,
  };
}

/**
 * Makes a folder and the missing ones above it.
 * @param within the store that all of it has to be in, also when a link takes the place of a folder meanwhile
 * @throws PmanError, `conflict` when something else has the name, `forbidden` when it is not in the store
 */
export function provideFolder(path: string, within?: string): void {
  try {
    if (within === undefined) makeFolder(path);
    else makeFolderIn(within, path.replace(/(?<=.)\/+$/, ''));
  } catch (cause) {
    if (cause instanceof PmanError) throw cause;
    if (isTaken(path)) {
      throw new PmanError('conflict', `${path} exists and is no folder`, { cause });
    }
    throw pathError(path, 'make the folder', cause);
  }
}

/** Each folder is made in one that is held open and is in the store. */
function makeFolderIn(store: string, path: string): void {
  if (path === store || dirname(path) === path || pathState(path).isdir) return;
  makeFolderIn(store, dirname(path));
  const above = OpenFolder.above(path, store);
  try {
    mkdirSync(above.way(path));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    // Somebody else has just made it, or it is a link: what goes into it is looked at again.
    if (!pathState(path).isdir) throw isNoFolder(path, error);
  } finally {
    above.close();
  }
}

/** Whether something has this name, a link that leads nowhere too. */
function isTaken(path: string): boolean {
  try {
    return lstatSync(path.replace(/(?<=.)\/+$/, ''), { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A file stands above it, or nobody may look: the error of making it says so.
    return false;
  }
}
