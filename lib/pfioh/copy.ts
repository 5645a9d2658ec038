import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PmanError } from '../errors.ts';
import { pathState } from '../transfer/pathState.ts';
import { timestamp } from '../transfer/report.ts';
import { openStaging } from '../transfer/staging.ts';
import { pathError, survey } from '../transfer/tree.ts';

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly symlink: boolean;
  /** Whether links in the tree have to stay inside it: the server is confined to a store. */
  readonly confined: boolean;
}

/** What a copy came to, for both verbs to report; `msg` when it was refused. */
export interface CopyResult {
  readonly status: boolean;
  readonly msg?: string;
  readonly source: string;
  readonly destination: string;
  readonly copytree: boolean;
  readonly copyfile: boolean;
  readonly symlink: boolean;
  readonly timestamp: string;
}

/**
 * Copies or links a file or folder of this machine into a folder. An existing folder of that name is
 * reported as a conflict, a file is replaced.
 * @throws PmanError
 */
export async function copyLocally({
  from,
  to,
  symlink,
  confined,
}: CopyOptions): Promise<CopyResult> {
  const source = pathState(from);
  if (!source.status)
    throw new PmanError('not_found', `cannot copy ${from}: no such file or folder`);
  if (!pathState(to).isdir)
    throw new PmanError('not_found', `cannot copy to ${to}: no such folder`);
  const target = join(to, basename(from));
  const result: CopyResult = {
    status: true,
    source: from,
    destination: to,
    copytree: source.isdir && !symlink,
    copyfile: !source.isdir && !symlink,
    symlink,
    timestamp: timestamp(),
  };
  if ((source.isdir || symlink) && pathState(target).isdir) {
    return { ...result, status: false, msg: `[Errno 17] File exists: '${target}'` };
  }
  if (symlink) {
    makeLink(from, target, to);
    return result;
  }
  if (confined) await survey(from, { prefix: basename(from) });
  await copyTo(from, target, to);
  return result;
}

async function copyTo(from: string, target: string, folder: string): Promise<void> {
  const staging = await openStaging(folder);
  const copy = join(staging.path, 'copy');
  try {
    await cp(from, copy, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    renameSync(copy, target);
  } catch (cause) {
    throw pathError(target, 'copy to', cause);
  } finally {
    await staging.close();
  }
}

function makeLink(from: string, target: string, folder: string): void {
  const temporary = join(folder, `.pfioh-${process.pid}-${randomUUID()}.tmp`);
  try {
    symlinkSync(from, temporary);
    renameSync(temporary, target);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw pathError(target, 'link', cause);
  }
}
