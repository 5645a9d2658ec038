import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { PmanError } from '../errors.ts';
import { HeldTree } from './heldTree.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';

export interface InstallOptions {
  /** Whether what is already there may be reached through symbolic links. */
  readonly followLinks: boolean;
}

/**
 * Moves the content of a staging folder to where it belongs. What is new there is moved as a whole;
 * folders that exist are filled; files and links are replaced one by one, so that a reader sees the
 * old or the new one. Everything that stands in the way is found before the first move.
 * @throws PmanError `conflict` or `forbidden`, nothing moved then
 */
export async function install(
  staging: OpenFolder,
  folder: string,
  { followLinks }: InstallOptions,
): Promise<void> {
  const top = OpenFolder.at(folder, undefined);
  const [from, to] = [new HeldTree(staging), new HeldTree(top)];
  const isLink = (name: string) => followLinks && leadsToFolder(join(folder, name));
  const place = (name: string) => (followLinks ? join(folder, name) : to.way(name));
  try {
    const names = await plan(staging, folder, isLink);
    for (const name of names) {
      if (isOthersTurn()) await turn();
      try {
        renameSync(from.way(name), place(name));
      } catch (cause) {
        if (cause instanceof PmanError) throw cause;
        throw pathError(join(folder, name), 'put in place', cause);
      }
    }
  } finally {
    from.close();
    to.close();
    top.close();
  }
}

/** What has to be moved, by its name below the staging folder. Nobody relies on it: the way to each is found again. */
async function plan(
  staging: OpenFolder,
  folder: string,
  leadsToFolder: (name: string) => boolean,
): Promise<string[]> {
  const names: string[] = [];
  const pending = [''];
  for (;;) {
    const next = pending.pop();
    if (next === undefined) return names;
    const target = join(folder, next);
    try {
      accessSync(target, constants.W_OK);
    } catch (cause) {
      throw pathError(target, 'write to', cause);
    }
    for (const entry of readdirSync(join(staging.itself, next), { withFileTypes: true })) {
      if (isOthersTurn()) await turn();
      const name = next === '' ? entry.name : `${next}/${entry.name}`;
      const path = join(folder, name);
      const there = existing(path);
      if (there === undefined) names.push(name);
      else if (!entry.isDirectory()) {
        if (there.isDirectory()) throw inTheWay(path, 'a folder', 'a file');
        names.push(name);
      } else if (there.isDirectory() || leadsToFolder(name)) pending.push(name);
      else if (there.isSymbolicLink()) {
        throw new PmanError('forbidden', `refused to go through the symbolic link ${path}`);
      } else throw inTheWay(path, 'a file', 'a folder');
    }
  }
}

function existing(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function leadsToFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function inTheWay(path: string, there: string, comes: string): PmanError {
  return new PmanError(
    'conflict',
    `${path} is ${there}, and ${comes} of that name comes in its place`,
  );
}
