import { PmanError } from '../errors.ts';
import { type PathState, pathState, provideFolder } from '../transfer/pathState.ts';
import { type JsonObject, ReportedError } from './answer.ts';

/**
 * The answer to `checkRemote`. With `createDirs` a missing folder is made; pfioh 3.0.2 then says
 * `isdir: false` and `createdNewDir: true`.
 */
export function checkRemote(
  path: string,
  createDirs: boolean,
  within: string | undefined,
): JsonObject {
  const state = stateOrMissing(path);
  const createdNewDir = !state.status && createDirs;
  if (createdNewDir) provideFolder(path, within);
  return {
    status: state.status || createdNewDir,
    isfile: state.isfile,
    isswiftstore: false,
    isdir: state.isdir,
    createdNewDir,
  };
}

/**
 * The path that a check asks about.
 * @throws ReportedError which says in the words of such an answer that it is nothing for this client
 */
export function checkedPath(resolve: () => string): string {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof PmanError)) throw error;
    throw new ReportedError(error, { status: false, isfile: false, isdir: false });
  }
}

function stateOrMissing(path: string): PathState {
  try {
    return pathState(path);
  } catch (error) {
    // No permission to look, or no such name can be: for the client it is not there.
    if (error instanceof PmanError) return { status: false, isfile: false, isdir: false };
    throw error;
  }
}
