import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PmanError } from '../errors.ts';
import { readTree, writeTree } from '../tree/disk.ts';
import type { TreeNode } from '../tree/node.ts';
import { isJobRoot } from '../tree/paths.ts';

/** Folders of job records that are not the database's own: copies that a request has asked for. */

/** The folder beside a database for what is no record: spools, the index, drafts. */
export function workFolderOf(folder: string): string {
  return `${folder}.spool`;
}

/** Names of the records in a folder, oldest first. */
export function recordNames(folder: string): readonly string[] {
  return readdirSync(folder).filter(isJobRoot).sort();
}

/**
 * Writes records into a folder, beside those that it holds already; it is made where it is missing.
 * @throws PmanError conflict when the folder holds anything but records
 */
export async function writeRecordFolder(
  folder: string,
  records: Iterable<readonly [string, TreeNode]>,
  fsync: boolean,
): Promise<void> {
  requireRecordFolder(folder);
  mkdirSync(folder, { recursive: true });
  const drafts = `${folder}.new-${process.pid}`;
  mkdirSync(drafts);
  try {
    for (const [root, record] of records) {
      writeTree(join(folder, root), record, { drafts, fsync });
      await nextTurn();
    }
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}

/**
 * The records of a folder, oldest first; it is made where it is missing. What is no record's leaf is passed over.
 * @throws PmanError conflict when the folder holds anything but records
 */
export async function* readRecordFolder(
  folder: string,
): AsyncGenerator<{ readonly root: string; readonly record: TreeNode }> {
  requireRecordFolder(folder);
  mkdirSync(folder, { recursive: true });
  for (const root of recordNames(folder)) {
    const read = readTree(join(folder, root), () => undefined);
    if (read !== undefined) yield { root, record: read.tree };
    await nextTurn();
  }
}

/**
 * Removes the records of a folder.
 * @throws PmanError conflict when the folder holds anything else
 */
export function clearRecordFolder(folder: string): void {
  if (!existsSync(folder)) return;
  requireRecordFolder(folder);
  for (const root of recordNames(folder)) {
    rmSync(join(folder, root), { recursive: true, force: true });
  }
}

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
