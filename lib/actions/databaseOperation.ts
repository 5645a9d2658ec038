import { freely, type Pace } from '../concurrency/turns.ts';
import { PmanError, systemErrorCode } from '../errors.ts';
import { removeJobs } from '../jobs/removal.ts';
import { exportRecords, importRecords } from '../records/exchange.ts';
import { clearRecordFolder, workFolderOf } from '../records/folder.ts';
import type { JsonValue } from '../wire/json.ts';
import type { Services } from './action.ts';
import { exportFolder } from './exportFolder.ts';

export interface DatabaseOperation {
  /** save, load or clear; anything else does nothing, as in the original. */
  readonly operation: string;
  readonly dbpath?: string | undefined;
  /** The only form is json: the original's pickle form never worked (protocol b). */
  readonly fileio?: JsonValue | undefined;
  /** The jobs it is about; all when left out. */
  readonly roots?: readonly string[] | undefined;
}

/**
 * What DBctl and PUT do with the database (protocol a.7, a.8).
 * @throws PmanError storage or bad_request when the file system refuses it
 */
export async function operateDatabase(
  services: Services,
  operation: DatabaseOperation,
  pace: Pace = freely,
): Promise<void> {
  try {
    await operate(services, operation, pace);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined || error instanceof PmanError) throw error;
    // The text of the error has paths of this host.
    throw new PmanError(
      code === 'ENAMETOOLONG' ? 'bad_request' : 'storage',
      `cannot ${operation.operation} the database: ${code}`,
      { cause: error },
    );
  }
}

async function operate(
  services: Services,
  { operation, dbpath, fileio, roots }: DatabaseOperation,
  pace: Pace,
): Promise<void> {
  if (fileio !== undefined && fileio !== 'json') {
    throw new PmanError(
      'bad_request',
      `fileio ${JSON.stringify(fileio)} is no form of the database`,
      {
        hint: 'the only form is "json"',
      },
    );
  }
  const { database, settings } = services;
  const own = database.folder;
  const folder = exportFolder(dbpath, {
    own,
    workFolder: workFolderOf(own),
    exportPath: settings.exportPath,
  });
  switch (operation) {
    case 'save':
      if (folder !== own) return exportRecords(database, folder, { roots, pace });
      await database.save();
      if (database.problem !== undefined) throw new PmanError('storage', database.problem);
      return;
    case 'load':
      if (folder === own) await database.reload();
      else await importRecords(database, folder, pace);
      await services.closeOrphans(pace);
      return;
    case 'clear': {
      if (folder !== own) return clearRecordFolder(folder, pace);
      await removeEnded(services, roots ?? [...database.roots()], pace);
      return;
    }
  }
}

/** Jobs that have not ended go on, and so do their records. */
async function removeEnded(
  services: Services,
  roots: readonly string[],
  pace: Pace,
): Promise<void> {
  await removeJobs(
    services,
    roots.filter((root) => !services.jobs.isActive(root)),
    pace,
  );
}
