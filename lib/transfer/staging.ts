import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { STAGING_NAME, stagingName } from './names.ts';
import { pathError } from './pathError.ts';

/** The names of what this process is making just now. */
const mine = new Set<string>();

/** A hidden folder beside what is about to change; its content is renamed into place. */
export interface Staging {
  readonly path: string;
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
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    guard.stdin.end();
    release();
    throw pathError(folder, 'write to', cause);
  }
  await removeAbandoned(folder);
  return {
    path,
    async close() {
      await removeTree(path);
      release();
      guard.stdin.end();
    },
  };
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    // Making something in it says what is wrong.
    return folder;
  }
}

/** Removes a tree, folders without write permission included. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // A folder without write permission keeps what is in it: allow it, then say what still fails.
    await allowRemoval(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function allowRemoval(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await allowRemoval(join(folder, entry.name));
  }
}

/**
 * Removes what processes left that have ended. In a container a process has the number of the one before it: what has
 * our number and is not ours is such a thing too.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!STAGING_NAME.test(name)) continue;
    const pid = Number(name.split('-')[1]);
    const isUsed = pid === process.pid ? mine.has(name) : isAlive(pid);
    if (!isUsed) await removeTree(resolve(folder, name));
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
