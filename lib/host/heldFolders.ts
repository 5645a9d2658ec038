import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/**
 * Folders that this process works in, as they were when it began. One that somebody renames or removes meanwhile is not the
 * folder of its path any more: another process may have that by now, and what is made there is found by nobody.
 */
interface HeldFolder {
  readonly path: string;
  /** Keeps the folder known wherever it goes, and its number from being given to another one. */
  fd: number;
  dev: number;
  ino: number;
  readonly renewal: Renewal | undefined;
  /** How many times it is held. */
  holders: number;
  /** When it was last looked for, on the clock of `performance.now()`, and what was found. */
  lookedAt: number;
  isThere: boolean;
}

/** How a folder is made anew that was removed, as long as nothing has taken its place. */
export interface Renewal {
  readonly mode: number;
  /** Takes the new one for this process; false when another one was quicker. */
  readonly take: () => boolean;
}

/** How long a folder is taken to be where it was seen, in milliseconds: many writes come together. */
const LOOK_MS = 10;

const held = new Map<string, HeldFolder>();

/**
 * From now on nothing is made in this folder, or above it, once it is no longer at its path.
 * @param renewal has it made anew where it was removed; default: it is not
 * @returns gives it up
 * @throws the system's error when the folder cannot be opened
 */
export function holdFolder(path: string, renewal?: Renewal): () => void {
  const folder = held.get(path) ?? heldAnew(path, renewal);
  folder.holders += 1;
  held.set(path, folder);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    folder.holders -= 1;
    if (folder.holders > 0) return;
    held.delete(path);
    closeSync(folder.fd);
  };
}

/** The same, for good, of a folder that may be gone already: nothing can be made there then. */
export function holdIfThere(path: string): void {
  try {
    holdFolder(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function heldAnew(path: string, renewal: Renewal | undefined): HeldFolder {
  const seen = { holders: 0, lookedAt: performance.now(), isThere: true };
  return { path, renewal, ...opened(path), ...seen };
}

function opened(path: string) {
  const fd = openSync(path, 'r');
  const { dev, ino } = fstatSync(fd);
  return { fd, dev, ino };
}

/**
 * Why nothing can be made at a path, or on the way to it: a folder that is held is not there any more. Undefined when all is
 * well, and for a path that has nothing to do with those that are held.
 */
export function lossOf(path: string): string | undefined {
  for (const folder of held.values()) {
    if (!isOnOneWay(folder.path, path) || isThere(folder)) continue;
    const now = placeNow(folder);
    return now === undefined
      ? `${folder.path} was removed while it was in use`
      : `${folder.path} was moved while it was in use: it is ${now} now`;
  }
  return undefined;
}

/**
 * Does nothing as long as the folders that are held are where they were, as far as the path concerns them.
 * @throws Error with the code ESTALE
 */
export function requireHeld(path: string): void {
  const loss = lossOf(path);
  if (loss !== undefined) throw Object.assign(new Error(loss), { code: 'ESTALE' });
}

/**
 * Where something in a folder that is held lies now: the path itself, or another one when the folder was moved. What was
 * begun there can be brought to its end.
 */
export function whereNow(path: string): string {
  for (const folder of held.values()) {
    if (!isIn(path, folder.path) || isThere(folder)) continue;
    const now = placeNow(folder);
    if (now !== undefined) return now + path.slice(folder.path.length);
  }
  return path;
}

const isIn = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** Whether making one of the two may make the other, or something in it. */
const isOnOneWay = (one: string, other: string) => isIn(one, other) || isIn(other, one);

function isThere(folder: HeldFolder): boolean {
  const now = performance.now();
  if (folder.isThere && now - folder.lookedAt < LOOK_MS) return true;
  const found = lookAt(folder.path);
  folder.lookedAt = now;
  folder.isThere =
    found === undefined ? isRenewed(folder) : found.ino === folder.ino && found.dev === folder.dev;
  return folder.isThere;
}

/** Makes a folder anew that was removed, and not moved, and holds that from now on. */
function isRenewed(folder: HeldFolder): boolean {
  const { path, fd, renewal } = folder;
  // A folder without a name has no links.
  if (renewal === undefined || fstatSync(fd).nlink > 0) return false;
  try {
    mkdirSync(path, renewal.mode);
    if (renewal.take()) {
      Object.assign(folder, opened(path));
      closeSync(fd);
      return true;
    }
    rmdirSync(path);
  } catch (error) {
    // What it lay in is gone, too, or something has its name by now.
    if (systemErrorCode(error) === undefined) throw error;
  }
  return false;
}

function lookAt(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A part of the way is a file by now, or is closed to this user.
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Where the folder went; undefined where it was removed, or the system does not tell. */
function placeNow({ fd, dev, ino }: HeldFolder): string | undefined {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.ino === ino && found.dev === dev ? path : undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
