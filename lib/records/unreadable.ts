import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { isFolder, makeFolder } from '../host/folders.ts';
import { PRIVATE } from '../host/rights.ts';
import type { Logger } from '../log.ts';
import type { OnUnreadable } from '../tree/disk.ts';

/**
 * Moves a file that is no leaf of `folder` into the work folder, so that it is reported once only. A folder that
 * cannot be looked into stays where it is: what it holds may be well.
 */
export function putAside(options: {
  readonly folder: string;
  readonly workFolder: string;
  readonly log: Logger;
}): OnUnreadable {
  const { folder, workFolder, log } = options;
  const aside = join(workFolder, 'unreadable');
  return (file, reason) => {
    if (isFolder(file)) {
      log.warn('a folder of the database cannot be read', { folder: file, reason });
      return;
    }
    const name = file.slice(folder.length + 1).replaceAll('/', '~');
    const to = join(aside, `${Date.now()}-${name}`);
    log.warn('a leaf is not readable and was moved aside', { file, reason, to });
    try {
      makeFolder(aside, PRIVATE.folder);
      renameSync(file, to);
    } catch (error) {
      log.warn('it could not be moved', { file, reason: messageOf(error) });
    }
  };
}
