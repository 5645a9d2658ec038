import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { BadRequestError, PmanError, systemErrorCode } from '../errors.ts';
import { exportsFolderOf } from '../records/folder.ts';
import { MAX_NAME_BYTES } from '../tree/paths.ts';

export interface ExportPlaces {
  /** The database's own folder. */
  readonly own: string;
  /** What belongs to the database, where a copy has no business but in its folder for copies. */
  readonly workFolder: string;
  readonly exportPath: string;
}

/**
 * The folder that a request's `dbpath` names: the database's own, or a place below the export folder. Links are
 * followed before that is judged.
 * @throws PmanError forbidden for a place outside, or one that the server uses itself; bad_request for no place at all
 */
export function exportFolder(
  dbpath: string | undefined,
  { own, workFolder, exportPath }: ExportPlaces,
): string {
  if (dbpath === undefined) return own;
  requireNames(dbpath);
  const asked = resolve(exportPath, dbpath);
  if (asked === resolve(own)) return own;
  const folder = realPlace(asked, dbpath);
  const home = realPlace(exportPath, exportPath);
  if (folder === home || !isWithin(folder, home)) {
    throw new PmanError('forbidden', `dbpath ${shownPath(dbpath)} is outside the export folder`, {
      hint: 'name a folder below it, such as "copies/today"; --exportPath says where it is',
    });
  }
  const copies = realPlace(exportsFolderOf(workFolder), workFolder);
  if (isWithin(folder, copies)) return folder;
  for (const place of [own, workFolder].map((path) => realPlace(path, path))) {
    if (!isWithin(folder, place) && !isWithin(place, folder)) continue;
    throw new PmanError('forbidden', `dbpath ${shownPath(dbpath)} is in use by pman itself`, {
      hint: 'name another folder below the export folder',
    });
  }
  return folder;
}

function requireNames(dbpath: string): void {
  const isLong = (name: string) => Buffer.byteLength(name) > MAX_NAME_BYTES;
  if (!dbpath.includes('\0') && !dbpath.split('/').some(isLong)) return;
  throw new BadRequestError(
    `dbpath ${shownPath(dbpath)} has a NUL or a name of more than ${MAX_NAME_BYTES} bytes`,
  );
}

const shownPath = (path: string) =>
  JSON.stringify(path.length > 80 ? `${path.slice(0, 80)}…` : path);

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/** The path without links, also when its end is not there yet. A link that leads nowhere is no place. */
function realPlace(path: string, shown: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const isMissing = systemErrorCode(error) === 'ENOENT';
    if (isMissing && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      return join(realPlace(dirname(path), shown), basename(path));
    }
    if (isMissing) {
      throw new PmanError('forbidden', `dbpath ${shownPath(shown)} is a link to nowhere`);
    }
    const why = systemErrorCode(error) ?? 'unknown error';
    throw new BadRequestError(`dbpath ${shownPath(shown)} cannot be used: ${why}`, {
      cause: error,
    });
  }
}
