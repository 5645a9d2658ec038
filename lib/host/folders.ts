import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '../errors.ts';

/**
 * Makes a folder and its parents where they are missing. Node's own `recursive` never returns where the system says
 * that a folder is missing which it does not let anybody make (below /proc).
 * @param mode of all that is made; the umask takes its part
 * @throws the system's error, for the folder that cannot be made; ENOTDIR when it is a file
 */
export function makeFolder(path: string, mode?: number): void {
  if (makeOne(path, mode)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  mkdirSync(path, { ...(mode === undefined ? {} : { mode }) });
}

/** Says whether the folder is there now; false when its parent is missing. */
function makeOne(path: string, mode: number | undefined): boolean {
  try {
    mkdirSync(path, { ...(mode === undefined ? {} : { mode }) });
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return false;
    // A file of that name is found out here: it is no folder that one could make something in.
    if (code !== 'EEXIST') throw error;
    if (isFolder(path)) return true;
    throw isNoFolder(path, error);
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
