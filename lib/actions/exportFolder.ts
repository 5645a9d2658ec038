import { isAbsolute, join, normalize, relative, resolve } from 'node:path';
import { PmanError } from '../errors.ts';
import { workFolderOf } from '../jobs/recordFolder.ts';

/**
 * The folder that a request's `dbpath` names: the database's own, or a place below the export folder.
 * @throws PmanError forbidden for a place outside
 */
export function exportFolder(
  dbpath: string | undefined,
  { own, exportPath }: { readonly own: string; readonly exportPath: string },
): string {
  if (dbpath === undefined) return own;
  const folder = isAbsolute(dbpath) ? normalize(dbpath) : join(exportPath, dbpath);
  const absolute = resolve(folder);
  if (absolute === resolve(own)) return own;
  if (!isBelow(absolute, exportPath)) {
    throw new PmanError(
      'forbidden',
      `dbpath ${JSON.stringify(dbpath)} is outside the export folder`,
      {
        hint: `name a folder below ${exportPath}, or start pman with another --exportPath`,
      },
    );
  }
  // What lies there is not made of records, and a clear would take it for such.
  const works = resolve(workFolderOf(own));
  if (isBelow(absolute, own) || absolute === works || isBelow(absolute, works)) {
    throw new PmanError('forbidden', `dbpath ${JSON.stringify(dbpath)} is where pman works`, {
      hint: `name a folder beside ${own}`,
    });
  }
  return absolute;
}

function isBelow(folder: string, top: string): boolean {
  const path = relative(resolve(top), folder);
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}
