import { lstatSync, realpathSync } from 'node:fs';
import { makeFolder } from './folders.ts';
import type { Rights } from './rights.ts';

/** Why a folder cannot be trusted, and what to do about it. */
export interface FolderTrouble {
  readonly problem: string;
  readonly remedy: string;
}

/**
 * Makes a folder that is this user's alone to write, or looks whether the one that is there is. What is read from it
 * is obeyed: somebody else who may write there, or has made it first, would have commands run as this user.
 * @throws the system's error when it cannot be made
 */
export function makeOwnFolder(path: string, mode: number): FolderTrouble | undefined {
  makeFolder(path, mode);
  // Not what a link leads to: whoever has made the link can change it.
  const stat = lstatSync(path);
  const self = process.geteuid?.();
  if (stat.isSymbolicLink()) {
    return {
      problem: `${path} is a symbolic link`,
      remedy: 'name the folder that it leads to, or put that in its place',
    };
  }
  if (self !== undefined && stat.uid !== self) {
    return {
      problem: `${path} belongs to another user (uid ${stat.uid}; this is uid ${self})`,
      remedy: `if you know what is in it: chown -R ${self} ${path}`,
    };
  }
  if ((stat.mode & 0o022) !== 0) {
    const mode = (stat.mode & 0o777).toString(8);
    return {
      problem: `${path} can be written by other users (mode ${mode})`,
      remedy: `if you know what is in it: chmod go-w ${path}`,
    };
  }
  return undefined;
}

/**
 * Where a link that this user, or root, has made leads to; any other path as it is. All names of one folder become one, and so
 * do the names of what lies beside it.
 */
export function followOwnLink(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isSymbolicLink()) return path;
  const isOwn = stat.uid === 0 || stat.uid === process.geteuid?.();
  return isOwn ? realpathSync.native(path) : path;
}

/** Whether others may do more with a folder than they are to. */
export function isOpenToOthers(path: string, rights: Rights): boolean {
  return (lstatSync(path).mode & 0o077 & ~rights.folder) !== 0;
}
