import { isAbsolute, join, normalize, relative, resolve } from 'node:path';
import { PmanError } from '../errors.ts';

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
  const inside = relative(resolve(exportPath), absolute);
  if (inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)) return absolute;
  throw new PmanError(
    'forbidden',
    `dbpath ${JSON.stringify(dbpath)} is outside the export folder`,
    {
      hint: `name a folder below ${exportPath}, or start pman with another --exportPath`,
    },
  );
}
