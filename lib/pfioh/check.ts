import { statSync } from 'node:fs';
import { makeFolder } from '../transfer/install.ts';
import type { JsonObject } from './reply.ts';

/** What a path is, as both programs report it. */
export function pathState(path: string): { status: boolean; isfile: boolean; isdir: boolean } {
  const stats = statSync(path, { throwIfNoEntry: false });
  return {
    status: stats !== undefined,
    isfile: stats?.isFile() ?? false,
    isdir: stats?.isDirectory() ?? false,
  };
}

/**
 * The answer to `checkRemote`. With `createDirs` a missing folder is made; pfioh 3.0.2 then says
 * `isdir: false` and `createdNewDir: true`.
 */
export function checkRemote(path: string, createDirs: boolean): JsonObject {
  const state = stateOrMissing(path);
  const createdNewDir = !state.status && createDirs;
  if (createdNewDir) makeFolder(path);
  return {
    status: state.status || createdNewDir,
    isfile: state.isfile,
    isswiftstore: false,
    isdir: state.isdir,
    createdNewDir,
  };
}

function stateOrMissing(path: string) {
  try {
    return pathState(path);
  } catch {
    // A file in place of a folder on the way, or no permission to look: for the client it is not there.
    return { status: false, isfile: false, isdir: false };
  }
}
