import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, PmanError } from '../errors.ts';
import { restoreReplaced } from '../tree/disk.ts';
import { isJobRoot } from '../tree/paths.ts';

/** The folder beside a database that is pman's own: spools, drafts, what was unreadable. */
export function workFolderOf(database: string): string {
  return `${database}.spool`;
}

/** Drafts are renamed into the database, so they lie on its file system. */
export function makeDraftsFolder(folder: string, workFolder: string): string {
  const sameDisk = statSync(workFolder).dev === statSync(folder).dev;
  const drafts = sameDisk ? join(workFolder, 'drafts') : `${folder}/.drafts`;
  restoreReplaced(drafts, folder);
  rmSync(drafts, { recursive: true, force: true });
  mkdirSync(drafts, { recursive: true });
  return drafts;
}

/** Names of the records in a folder, oldest first. */
export function recordNames(folder: string): readonly string[] {
  return readdirSync(folder).filter(isJobRoot).sort();
}

/** @throws PmanError conflict unless the folder is missing, empty, or holds records only */
function requireRecordFolder(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new PmanError('conflict', `${folder} is not a folder`);
  }
  const stranger = readdirSync(folder).find((name) => !isJobRoot(name));
  if (stranger === undefined) return;
  throw new PmanError('conflict', `${folder} holds something else than job records: ${stranger}`, {
    hint: `name a new folder, for example ${join(dirname(folder), `${basename(folder)}-copy`)}`,
  });
}

/**
 * Makes a folder for copies of records where there is none.
 * @throws PmanError conflict when it holds anything else, storage when it cannot be made
 */
export function makeRecordFolder(folder: string): void {
  requireRecordFolder(folder);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw refusal(`cannot make ${folder}`, error);
  }
}

/** The error for what the disk has refused, with its reason. */
export function refusal(what: string, error: unknown): PmanError {
  return new PmanError('storage', `${what}: ${messageOf(error)}`, { cause: error });
}

/** Removes the records of a folder that is not the database's own. Anything else in it stays. */
export function clearRecordFolder(folder: string): void {
  if (!existsSync(folder)) return;
  requireRecordFolder(folder);
  for (const root of recordNames(folder)) {
    rmSync(join(folder, root), { recursive: true, force: true });
  }
}
