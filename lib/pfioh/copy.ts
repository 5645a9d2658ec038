import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { PmanError, systemErrorCode } from '../errors.ts';
import { OpenFolder } from '../transfer/openFolder.ts';
import { pathError } from '../transfer/pathError.ts';
import { pathState, provideFolder } from '../transfer/pathState.ts';
import { changedError } from '../transfer/sourceError.ts';
import { openStaging, type Staging } from '../transfer/staging.ts';
import { copyWithin, lookForCopy, type SourceInStore } from './copyWithin.ts';

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly symlink: boolean;
  /** The store that both have to be in, and links of the tree inside the tree; undefined without a store. */
  readonly within: string | undefined;
}

/** What a copy is about, found out before anything changes. */
export interface CopyKind {
  readonly copytree: boolean;
  readonly copyfile: boolean;
}

/** @throws PmanError when it cannot be told */
export function copyKind({ from, symlink }: CopyOptions): CopyKind {
  const { isdir, isfile } = pathState(from);
  return { copytree: isdir && !symlink, copyfile: isfile && !symlink };
}

/**
 * Copies or links a file or folder of this machine into a folder. As with Python's shutil, a folder is
 * never copied over another one, a file is replaced, and a destination that is not there yet is made
 * from a folder, or becomes the name of the copied file.
 * @throws PmanError
 */
export async function copyLocally(options: CopyOptions): Promise<void> {
  const { from, to, symlink, within } = options;
  const source = pathState(from);
  if (!source.status)
    throw new PmanError('not_found', `cannot copy ${from}: no such file or folder`);
  const there = pathState(to);
  if (symlink) {
    if (!there.isdir) throw new PmanError('not_found', `cannot link in ${to}: no such folder`);
    return makeLink(from, join(to, basename(from)), within);
  }
  if (there.isfile && source.isdir)
    throw new PmanError('conflict', `cannot copy to ${to}: it is a file, not a folder`);
  const store = within === undefined ? undefined : await lookForCopy(from, within);
  if (source.isdir && !there.status) provideFolder(to, within);
  const isName = !source.isdir && !there.isdir;
  if (isName && !pathState(dirname(to)).isdir)
    throw new PmanError('not_found', `cannot copy to ${to}: no such folder`);
  const target = isName ? to : join(to, basename(from));
  if (source.isdir && pathState(target).isdir)
    throw new PmanError('conflict', `[Errno 17] File exists: '${target}'`);
  await copyTo(from, target, store);
}

async function copyTo(
  from: string,
  target: string,
  source: SourceInStore | undefined,
): Promise<void> {
  // Whatever takes the name of the folder meanwhile, the copy goes into the one that was checked.
  const above = OpenFolder.above(target, source?.within);
  let staging: Staging | undefined;
  try {
    staging = await openStaging(above.itself);
    const copy = staging.folder.way('copy');
    if (source === undefined) await copyFreely(from, copy);
    else await copyWithin(source, staging.folder);
    renameSync(copy, above.way(target));
  } catch (error) {
    const cause = above.said(error);
    if (cause instanceof PmanError) throw cause;
    throw pathError(target, 'copy to', cause);
  } finally {
    await staging?.close();
    above.close();
  }
}

/** A copy where everything may be read, links and all. */
async function copyFreely(from: string, copy: string): Promise<void> {
  const before = await stateOf(from);
  await cp(from, copy, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  if ((await stateOf(from)) !== before) throw changedError(from, 'changed');
}

/** Stays the same as long as a tree does: names, sizes and times. What is copied meanwhile is a copy of it then. */
async function stateOf(root: string): Promise<string> {
  const hash = createHash('sha256');
  const pending = [root];
  for (;;) {
    const path = pending.pop();
    if (path === undefined) return hash.digest('hex');
    if (isOthersTurn()) await turn();
    const stats = lstatSync(path, { bigint: true });
    hash.update(JSON.stringify([path, ...[stats.ino, stats.size, stats.mtimeNs].map(String)]));
    if (!stats.isDirectory()) continue;
    for (const name of readdirSync(path)) pending.push(join(path, name));
  }
}

function makeLink(from: string, target: string, within: string | undefined): void {
  const above = OpenFolder.above(target, within);
  try {
    symlinkSync(from, above.way(target));
  } catch (cause) {
    if (systemErrorCode(cause) === 'EEXIST') {
      throw new PmanError('conflict', `[Errno 17] File exists: '${from}' -> '${target}'`, {
        cause,
      });
    }
    throw pathError(target, 'link', cause);
  } finally {
    above.close();
  }
}
