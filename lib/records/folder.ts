import {
  existsSync,
  mkdtempSync,
  opendirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { freely, type Pace } from '../concurrency/turns.ts';
import { messageOf, PmanError, systemErrorCode } from '../errors.ts';
import { isFolder, makeFolder } from '../host/folders.ts';
import { PRIVATE, type Rights } from '../host/rights.ts';
import { readTree, restoreReplaced, writeTree } from '../tree/disk.ts';
import type { TreeNode } from '../tree/node.ts';
import { inOrder, isJobRoot } from './jobRoot.ts';

/** Folders of job records, as folders: the database's own, and copies that requests have asked for. */

/** The folder beside a database for what is no record: spools, the index, drafts. */
export function workFolderOf(folder: string): string {
  return `${folder}.spool`;
}

/** Where copies of the database that requests ask for are kept, unless --exportPath names another place. */
export function exportsFolderOf(workFolder: string): string {
  return join(workFolder, 'exports');
}

/** Drafts are renamed into the database, so they lie on its file system. */
export function makeDraftsFolder(folder: string, workFolder: string): string {
  const drafts = canRename(workFolder, folder) ? join(workFolder, 'drafts') : `${folder}/.drafts`;
  if (isFolder(drafts)) restoreReplaced(drafts, folder);
  rmSync(drafts, { recursive: true, force: true });
  makeFolder(drafts, PRIVATE.folder);
  return drafts;
}

/** Two folders of one disk may be on two mounts of it, and then rename(2) refuses. */
function canRename(from: string, to: string): boolean {
  if (statSync(from).dev !== statSync(to).dev) return false;
  const probe = mkdtempSync(join(from, 'probe-'));
  const there = join(to, `.${basename(probe)}`);
  try {
    renameSync(probe, there);
    rmdirSync(there);
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw error;
    rmdirSync(probe);
    return false;
  }
}

/** Names of what is in a folder, in any order; read as they are asked for, since there may be a million. */
export function* namesInFolder(folder: string): Generator<string, void, undefined> {
  const opened = opendirSync(folder, { bufferSize: 1024 });
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      yield entry.name;
    }
  } finally {
    opened.closeSync();
  }
}

/** Names of the records in a folder, oldest first. */
export function recordNames(folder: string): readonly string[] {
  return inOrder([...namesInFolder(folder)].filter(isJobRoot));
}

/**
 * Writes records into a folder, beside those that it holds already; it is made where it is missing.
 * @throws PmanError conflict when the folder holds anything but records, storage when the disk refuses
 */
export async function writeRecordFolder(
  folder: string,
  records: Iterable<readonly [string, TreeNode]>,
  { fsync, rights }: { readonly fsync: boolean; readonly rights: Rights },
  pace: Pace = freely,
): Promise<void> {
  requireRecordFolder(folder);
  let drafts: string | undefined;
  try {
    makeFolder(folder, rights.folder);
    drafts = mkdtempSync(`${folder}.new-`);
    for (const [root, record] of records) {
      if (pace.isOthersTurn) await pace.turn();
      writeTree(join(folder, root), record, { drafts, fsync, rights });
    }
  } catch (error) {
    throw refusal('cannot write the copy', error);
  } finally {
    if (drafts !== undefined) rmSync(drafts, { recursive: true, force: true });
  }
}

/**
 * The records of a folder, oldest first; it is made where it is missing. What is no record's leaf is left out.
 * @throws PmanError conflict when the folder holds anything but records, storage when it cannot be made
 */
export async function* readRecordFolder(
  folder: string,
  pace: Pace = freely,
): AsyncGenerator<{ readonly root: string; readonly record: TreeNode }> {
  requireRecordFolder(folder);
  try {
    makeFolder(folder, PRIVATE.folder);
  } catch (error) {
    throw refusal('cannot make the folder of the copy', error);
  }
  for (const root of recordNames(folder)) {
    if (pace.isOthersTurn) await pace.turn();
    const read = readTree(join(folder, root), () => undefined);
    if (read !== undefined) yield { root, record: read.tree };
  }
}

/**
 * Removes the records of a folder, in turns with other work.
 * @throws PmanError conflict when the folder holds anything else
 */
export async function clearRecordFolder(folder: string, pace: Pace = freely): Promise<void> {
  if (!existsSync(folder)) return;
  requireRecordFolder(folder);
  for (const root of recordNames(folder)) {
    if (pace.isOthersTurn) await pace.turn();
    rmSync(join(folder, root), { recursive: true, force: true });
  }
}

/**
 * Takes a record's folder away in one step, then removes it: a reader never sees half of it.
 * @throws the file system's error when it cannot be taken away
 */
export function discardRecord(folder: string, drafts: string): void {
  if (!existsSync(folder)) return;
  makeFolder(drafts, PRIVATE.folder);
  const away = join(drafts, `gone-${basename(folder)}`);
  renameSync(folder, away);
  try {
    rmSync(away, { recursive: true, force: true });
  } catch (error) {
    // It is gone as a record; the next start empties the drafts.
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function refusal(what: string, error: unknown): PmanError {
  if (error instanceof PmanError) return error;
  // The text of the error has paths of this host.
  const code = systemErrorCode(error);
  return new PmanError(
    code === 'ENAMETOOLONG' ? 'bad_request' : 'storage',
    `${what}: ${code ?? messageOf(error)}`,
    { cause: error },
  );
}

function requireRecordFolder(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new PmanError('conflict', 'what dbpath names is not a folder');
  }
  const stranger = readdirSync(folder).find((name) => !isJobRoot(name));
  if (stranger === undefined) return;
  throw new PmanError(
    'conflict',
    `the folder that dbpath names holds something else than job records: ${stranger}`,
    { hint: 'name a new folder' },
  );
}
