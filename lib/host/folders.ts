import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { requireHeld } from './heldFolders.ts';

/**
 * Makes a folder and its parents where they are missing. Node's own `recursive` never returns where the system says
 * that a folder is missing which it does not let anybody make (below /proc).
 * @param mode of all that is made; the umask takes its part
 * @throws the system's error, for the folder that cannot be made; ENOTDIR when it is a file, ESTALE where a folder that
 *   this process works in has been moved or removed: that one is not made anew
 */
export function makeFolder(path: string, mode?: number): void {
  try {
    makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (systemErrorCode(error) !== 'ENOENT' || parent === path) throw error;
    makeFolder(parent, mode);
    // Once more, and no more than that: below /proc a folder is said to be missing however often it is tried.
    makeOne(path, mode);
  }
}

/** Makes a folder in one that is there; it may have been made by somebody else. */
function makeOne(path: string, mode: number | undefined): void {
  requireHeld(path);
  try {
    mkdirSync(path, { ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    // A file of that name is found out here: it is no folder that one could make something in.
    if (!isFolder(path)) throw isNoFolder(path, error);
  }
}

/** The error of making something in what is no folder. */
export function isNoFolder(path: string, cause: unknown): Error {
  return Object.assign(new Error(`${path} is a file, not a folder`, { cause }), {
    code: 'ENOTDIR',
  });
}

/** Whether there is a folder of that name. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A folder, or the nearest one above it where it is missing. */
export function nearestFolder(path: string): string {
  const parent = dirname(path);
  return parent === path || isFolder(path) ? path : nearestFolder(parent);
}
