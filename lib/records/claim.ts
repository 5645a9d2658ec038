import { messageOf, PmanError } from '../errors.ts';
import { type FolderTrouble, isOpenToOthers, makeOwnFolder } from '../host/ownFolder.ts';
import { PRIVATE, type Rights } from '../host/rights.ts';
import type { Logger } from '../log.ts';

export interface DatabaseFolders {
  /** The folder of the records. */
  readonly folder: string;
  /** Of the records: who else may read them. */
  readonly rights: Rights;
  /** The folder beside it and those in it, which are nobody else's business. */
  readonly work: readonly string[];
}

/**
 * Makes the folders of a database where they are missing. What lies in them is obeyed: one that is a link, that
 * another user has made or may write, is refused.
 * @throws PmanError storage
 */
export function claimFolders({ folder, rights, work }: DatabaseFolders): void {
  const cannotOpen = `cannot open the database ${folder}`;
  claimFolder(folder, rights, cannotOpen);
  for (const workFolder of work) claimFolder(workFolder, PRIVATE, cannotOpen);
}

function claimFolder(folder: string, rights: Rights, cannotOpen: string): void {
  let trouble: FolderTrouble | undefined;
  try {
    trouble = makeOwnFolder(folder, rights.folder);
  } catch (error) {
    throw new PmanError('storage', `${cannotOpen}: ${messageOf(error)}`, {
      hint: 'name a folder that pman may write with --DBpath',
      cause: error,
    });
  }
  if (trouble === undefined) return;
  throw new PmanError('storage', `${cannotOpen}: ${trouble.problem}`, {
    hint: `${trouble.remedy}; or name another place with --DBpath`,
  });
}

/**
 * Says so when more users can read the records than are to: of a database that somebody else has made, or an older
 * pman.
 */
export function warnOfReaders({ folder, rights }: DatabaseFolders, log: Logger): void {
  if (!isOpenToOthers(folder, rights)) return;
  log.warn('other users can read the records, which may hold secrets', {
    remedy: `chmod -R go-rwx ${folder}, or another --umask`,
  });
}
