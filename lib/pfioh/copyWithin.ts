import { chmodSync, lutimesSync, symlinkSync, utimesSync } from 'node:fs';
import { copyFile, constants as copying } from 'node:fs/promises';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { HeldTree } from '../transfer/heldTree.ts';
import type { OpenFolder } from '../transfer/openFolder.ts';
import { changedError } from '../transfer/sourceError.ts';
import { SteadyFile } from '../transfer/steadyFile.ts';
import { type Survey, survey } from '../transfer/survey.ts';
import { utimesSeconds } from '../transfer/times.ts';
import type { TreeEntry } from '../transfer/tree.ts';

/** What the copy is called in the folder that it is made in. */
const COPY_NAME = 'copy';

/** What is to be copied, looked at. */
export interface SourceInStore {
  readonly from: string;
  readonly within: string;
  readonly before: Survey;
}

/** Looks at a tree of a store that is to be copied. @throws PmanError when something in it cannot be */
export async function lookForCopy(from: string, within: string): Promise<SourceInStore> {
  return { from, within, before: await survey(from, { prefix: COPY_NAME, within }) };
}

/**
 * Copies a tree of a store as `copy` into a folder. Nothing is read or written behind a link, also when one takes the
 * place of a folder or file meanwhile.
 * @throws PmanError also when the tree has changed since it was looked at
 */
export async function copyWithin(
  { from, within, before }: SourceInStore,
  into: OpenFolder,
): Promise<void> {
  const tree = new HeldTree(into);
  const folders: TreeEntry[] = [];
  try {
    for await (const entry of before.entries()) {
      if (isOthersTurn()) await turn();
      if (entry.kind === 'folder') {
        tree.makeFolder(entry.name);
        folders.push(entry);
      } else if (entry.kind === 'file') await copyOne(entry, tree.way(entry.name));
      else symlinkSync(entry.target, tree.way(entry.name));
      if (entry.kind !== 'folder') dress(tree.way(entry.name), entry);
    }
    // What is in a folder changes its time, and may need the permission to write there.
    for (const folder of folders.reverse()) {
      chmodSync(tree.folder(folder.name), folder.mode);
      const seconds = utimesSeconds(folder.mtimeNs);
      utimesSync(tree.folder(folder.name), seconds, seconds);
    }
  } finally {
    tree.close();
  }
  const after = await survey(from, { prefix: COPY_NAME, within });
  if (after.tag !== before.tag) throw changedError(from, 'changed');
}

async function copyOne(entry: TreeEntry, way: string): Promise<void> {
  const file = new SteadyFile(entry);
  try {
    await copyFile(file.way, way, copying.COPYFILE_EXCL);
    file.checkUnchanged();
  } finally {
    await file.close();
  }
}

function dress(way: string, { mtimeNs }: TreeEntry): void {
  const seconds = utimesSeconds(mtimeNs);
  lutimesSync(way, seconds, seconds);
}
