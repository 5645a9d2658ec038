import { constants, lstatSync, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { inTurns } from '../../concurrency/turns.ts';
import { PmanError, systemErrorCode } from '../../errors.ts';
import type { WorkFolder } from '../../jobs/backend.ts';
import { fitsPattern, mayHold } from '../../jobs/filePatterns.ts';
import { OpenFolder } from '../../transfer/openFolder.ts';

/** What may be had of the working folder of a job. */
export interface JobFiles extends WorkFolder {
  /** Paths below it, with stars. */
  readonly patterns: readonly string[];
}

export interface FoundFile {
  /** Below the working folder. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: string;
}

export interface FoundFiles {
  readonly files: readonly FoundFile[];
  /** Whether there are no others. */
  readonly isComplete: boolean;
  /** How many were passed over, files and folders, as their names are not UTF-8: no path leads there. Undefined for none. */
  readonly notUtf8?: number;
}

const MOST_FILES = 1000;
const MOST_LOOKED_AT = 100_000;
/** Each folder on the way is held open. */
const MOST_FOLDERS = 32;

/**
 * The files that fit, in the order of their names, those behind the path `after`; no link is followed.
 * @throws PmanError not_found when the working folder is gone
 */
export async function listFiles(of: JobFiles, after?: string): Promise<FoundFiles> {
  const files: FoundFile[] = [];
  let notUtf8 = 0;
  const top = OpenFolder.at(of.folder, undefined);
  const walk = walkOf(of, top, [], after?.split('/'));
  let lookedAt = 0;
  function* steps(): Generator<void, boolean, void> {
    for (const found of walk) {
      lookedAt += 1;
      if (found === NOT_UTF8) notUtf8 += 1;
      else if (found !== undefined) files.push(found);
      if (files.length === MOST_FILES || lookedAt === MOST_LOOKED_AT) return false;
      yield;
    }
    return true;
  }
  try {
    const isComplete = await inTurns(steps());
    return { isComplete, files, ...(notUtf8 > 0 && { notUtf8 }) };
  } finally {
    walk.return(undefined);
    top.close();
  }
}

const NOT_UTF8 = Symbol();

/**
 * What there is in a folder, and below: undefined for what is not to be had. What comes before `behind`, the names of a path, is not
 * looked at: whoever asks for one page after the other gets to the end.
 */
function* walkOf(
  of: JobFiles,
  folder: OpenFolder,
  above: readonly string[],
  behind: readonly string[] = [],
): Generator<FoundFile | typeof NOT_UTF8 | undefined, void, void> {
  const entries = readdirSync(folder.itself, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const from = behind[above.length];
  for (const entry of entries) {
    const isOnTheWay = entry.name === from;
    if (from !== undefined && (entry.name < from || (isOnTheWay && !entry.isDirectory()))) continue;
    const path = [...above, entry.name];
    if (isReplaced(folder, entry.name)) yield NOT_UTF8;
    else if (entry.isFile() && of.patterns.some((pattern) => fitsPattern(path, pattern))) {
      yield fileAt(of, folder, path);
    } else if (
      entry.isDirectory() &&
      path.length < MOST_FOLDERS &&
      of.patterns.some((pattern) => mayHold(path, pattern))
    ) {
      const inner = entered(folder, entry.name);
      if (inner === undefined) continue;
      try {
        yield* walkOf(of, inner, path, isOnTheWay ? behind : []);
      } finally {
        inner.close();
      }
    } else yield undefined;
  }
}

/** Whether a name is one that Node has made of bytes which are not UTF-8. */
function isReplaced(folder: OpenFolder, name: string): boolean {
  if (!name.includes('\ufffd')) return false;
  return !lstatSync(folder.way(join(folder.path, name)), { throwIfNoEntry: false });
}

/** A folder that may be read; undefined for another one, and when something has taken its place. */
function entered(folder: OpenFolder, name: string): OpenFolder | undefined {
  try {
    const inner = folder.enter(join(folder.path, name));
    try {
      readdirSync(inner.itself);
      return inner;
    } catch (error) {
      inner.close();
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    }
  } catch (error) {
    if (error instanceof PmanError) return undefined;
    throw error;
  }
}

function fileAt(
  { owner }: JobFiles,
  folder: OpenFolder,
  path: readonly string[],
): FoundFile | undefined {
  const stat = lstatSync(folder.way(join(folder.path, path.at(-1) ?? '')), {
    throwIfNoEntry: false,
  });
  if (!stat?.isFile() || (owner !== undefined && stat.uid !== owner)) return undefined;
  return {
    path: path.join('/'),
    bytes: stat.size,
    modifiedAt: new Date(stat.mtimeMs).toISOString(),
  };
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * One of the files that fit, to be closed. No link is followed on the way below the working folder.
 * @throws PmanError not_found when there is none of that name that may be had
 */
export async function openFile(
  of: JobFiles,
  path: string,
): Promise<{ readonly file: FileHandle; readonly bytes: number }> {
  const names = path.split('/');
  const isPath = names.every((name) => !['', '.', '..'].includes(name)) && !path.includes('\0');
  if (!isPath || !of.patterns.some((pattern) => fitsPattern(names, pattern))) throw noFile(path);
  const file = await opened(of.folder, names, path);
  const stat = await file.stat();
  if (stat.isFile() && (of.owner === undefined || stat.uid === of.owner)) {
    return { file, bytes: stat.size };
  }
  await file.close();
  throw noFile(path);
}

async function opened(top: string, names: readonly string[], said: string): Promise<FileHandle> {
  let folder: OpenFolder | undefined;
  try {
    const above = OpenFolder.at(top, undefined);
    try {
      folder = above.below(names.slice(0, -1));
    } finally {
      above.close();
    }
    const way = folder.way(join(folder.path, names.at(-1) ?? ''));
    // Nobody waits for the writer of a pipe.
    return await open(way, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (error instanceof PmanError || systemErrorCode(error) !== undefined) throw noFile(said);
    throw error;
  } finally {
    folder?.close();
  }
}

/** Of a file that is not to be had, or not there. */
export function noFile(path: string): PmanError {
  return new PmanError('not_found', `the job has no file ${JSON.stringify(path.slice(0, 200))}`, {
    hint: 'GET /files below the job lists those that fit its patterns "files"',
  });
}
