import { freely, type Pace } from '../concurrency/turns.ts';
import type { JobDatabase } from './database.ts';
import { readRecordFolder, writeRecordFolder } from './folder.ts';

interface ExportOptions {
  /** All when left out. */
  readonly roots?: readonly string[] | undefined;
  readonly pace?: Pace;
}

/**
 * Writes records of a database into another folder, beside what records that holds already.
 * @throws PmanError conflict when the folder holds anything but records, storage when the disk refuses
 */
export async function exportRecords(
  database: JobDatabase,
  folder: string,
  { roots = [...database.roots()], pace = freely }: ExportOptions = {},
): Promise<void> {
  const records = (function* () {
    for (const root of roots) {
      const record = database.tree(root);
      if (record) yield [root, record] as const;
    }
  })();
  await writeRecordFolder(folder, records, database, pace);
}

/**
 * Takes the records of another folder into a database that does not have them; the folder is made where it is missing.
 * @throws PmanError conflict when the folder holds anything but records, storage when it cannot be made
 */
export async function importRecords(
  database: JobDatabase,
  folder: string,
  pace?: Pace,
): Promise<void> {
  for await (const { root, record } of readRecordFolder(folder, pace)) {
    if (database.has(root)) continue;
    database.add(root, record);
    if (database.summary(root)?.status !== undefined) database.release(root);
  }
}
