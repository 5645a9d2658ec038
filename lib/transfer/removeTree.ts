import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { PmanError, systemErrorCode } from '../errors.ts';
import { stagingName } from './names.ts';
import { OpenFolder } from './openFolder.ts';

/** Each folder on the way is an open file. What lies deeper is moved up first. */
const MAX_DEPTH = 64;
/** How often something may become a folder, or none, in the moment when it is removed. */
const MAX_TRIES = 100;

/**
 * Removes a tree, folders without write permission included. Nothing is removed behind a link, also when one takes the
 * place of a folder meanwhile. What is not there is fine.
 * @param within the store that it has to be in
 * @throws PmanError `forbidden` when it is not in the store; the system's error
 */
export async function removeTree(path: string, within?: string): Promise<void> {
  let above: OpenFolder;
  const bare = path.replace(/(?<=.)\/+$/, '');
  try {
    above = OpenFolder.above(bare, within);
  } catch (error) {
    if (error instanceof PmanError && error.code === 'not_found') return;
    throw error;
  }
  try {
    await removeIn(above, bare);
  } finally {
    above.close();
  }
}

/** The same for what lies in a folder that is held open. @throws PmanError, the system's error */
export async function removeIn(above: OpenFolder, path: string): Promise<void> {
  const pending = [path];
  /** Of a folder what is in it and then itself; false when something else has its name by now. */
  const removeFolder = async (inside: OpenFolder, one: string, depth: number): Promise<boolean> => {
    if (depth > MAX_DEPTH) {
      const moved = join(above.path, stagingName());
      permitted(inside, () => renameSync(inside.way(one), above.way(moved)));
      pending.push(moved);
      return true;
    }
    const folder = entered(inside, one);
    if (folder === undefined) return false;
    try {
      for (const name of permitted(folder, () => readdirSync(folder.itself)))
        await remove(folder, join(one, name), depth + 1);
    } finally {
      folder.close();
    }
    return isDone(() => permitted(inside, () => rmdirSync(inside.way(one))));
  };
  const remove = async (inside: OpenFolder, one: string, depth: number): Promise<void> => {
    if (isOthersTurn()) await turn();
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (isFolder(inside, one)) {
        if (await removeFolder(inside, one, depth)) return;
      } else if (isDone(() => permitted(inside, () => unlinkSync(inside.way(one))))) return;
    }
    throw new PmanError('conflict', `${one} changes all the time while it is removed`);
  };
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    await remove(above, next, 1);
  }
}

function isFolder(inside: OpenFolder, path: string): boolean {
  return lstatSync(inside.way(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether something is gone after that; false when it was no folder, or a folder, in that moment. */
function isDone(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return true;
    if (code === 'ENOTDIR' || code === 'EISDIR') return false;
    throw error;
  }
}

/** The folder of that name; undefined when something else has taken its place. */
function entered(inside: OpenFolder, path: string): OpenFolder | undefined {
  try {
    return inside.enter(path);
  } catch (error) {
    const code = systemErrorCode(error instanceof PmanError ? error.cause : error);
    if (code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Does it again with write permission in the folder, where that was missing. */
function permitted<T>(folder: OpenFolder, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (systemErrorCode(error) !== 'EACCES' || !isOpened(folder)) throw error;
    return act();
  }
}

function isOpened(folder: OpenFolder): boolean {
  try {
    chmodSync(folder.itself, 0o700);
    return true;
  } catch {
    // It is somebody else's: the first error says what is wrong.
    return false;
  }
}
