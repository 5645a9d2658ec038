import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { PmanError } from '../errors.ts';
import { STAGING_NAME, stagingName } from './names.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';
import { removeIn } from './removeTree.ts';

/** The names of what this process is making just now. */
const mine = new Set<string>();

/** A hidden folder beside what is about to change; its content is renamed into place. */
export interface Staging {
  /** The folder, held open: whoever shares the place may put a link where it is. */
  readonly folder: OpenFolder;
  /** Removes the folder and what is left in it. */
  close(): Promise<void>;
}

/** A name in a folder for what is not yet in place, which is this process's own until it is released. */
export function claimName(folder: string): { readonly path: string; release(): void } {
  const name = stagingName();
  mine.add(name);
  return { path: resolve(folder, name), release: () => mine.delete(name) };
}

/**
 * Makes a staging folder in `folder`, on the same file system as what it is for. A shell that only
 * waits for our end removes the folder if we are killed; folders of programs that ended without that
 * (the machine stopped) are removed here.
 * @throws PmanError when the folder cannot be written to
 */
export async function openStaging(folder: string): Promise<Staging> {
  const { path, release } = claimName(folder);
  // Before there is anything to remove: we may be killed at any moment from then on.
  // The folder may be named by a handle of this process, which is nothing to another one.
  const real = join(realFolder(folder), basename(path));
  const guard = spawn('/bin/sh', ['-c', 'cat >/dev/null; rm -rf -- "$1"', 'pfioh-guard', real], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Without a guard only a kill -9 leaves something behind, until the next transfer to that folder.
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  let above: OpenFolder | undefined;
  let held: OpenFolder;
  try {
    above = OpenFolder.at(folder, undefined);
    mkdirSync(above.way(path), { mode: 0o700 });
    held = above.enter(path);
  } catch (cause) {
    above?.close();
    guard.stdin.end();
    release();
    throw pathError(folder, 'write to', cause instanceof PmanError ? cause.cause : cause);
  }
  const place = above;
  const close = async () => {
    held.close();
    try {
      await removeIn(place, path);
    } finally {
      place.close();
      release();
      guard.stdin.end();
    }
  };
  try {
    await removeAbandoned(folder);
  } catch (error) {
    await close();
    throw error;
  }
  return { folder: held, close };
}

function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    // Making something in it says what is wrong.
    return folder;
  }
}

/**
 * Removes what processes left that have ended. In a container a process has the number of the one before it: what has
 * our number and is not ours is such a thing too. What is another user's, or in a folder that cannot be listed, stays:
 * it keeps nobody from writing there.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  const names = namesIn(folder).filter((name) => STAGING_NAME.test(name));
  if (names.length === 0) return;
  const above = OpenFolder.at(folder, undefined);
  try {
    for (const name of names) {
      const pid = Number(name.split('-')[1]);
      const isUsed = pid === process.pid ? mine.has(name) : isAlive(pid);
      if (!isUsed) await removeIn(above, resolve(folder, name)).catch(() => {});
    }
  } finally {
    above.close();
  }
}

/** None of a folder that cannot be listed. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(
      typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      error.code === 'ESRCH'
    );
  }
}
