import {
  accessSync,
  type BigIntStats,
  chmodSync,
  constants,
  lstatSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { PmanError, systemErrorCode } from '../errors.ts';
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
 * old or the new one. Everything that stands in the way is found before the first move. A folder of ours that nobody may
 * write to is opened as long as it takes.
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
  const itself = (name: string) => (followLinks ? join(folder, name) : to.folder(name));
  const opened: Closed[] = [];
  try {
    const { names, closed } = await plan(staging, folder, isLink);
    for (const one of closed) {
      chmodSync(itself(one.name), one.mode | OWNER_WRITES);
      opened.push(one);
    }
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
    for (const { name, mode } of opened) closeAgain(() => chmodSync(itself(name), mode));
    from.close();
    to.close();
    top.close();
  }
}

function closeAgain(change: () => void): void {
  try {
    change();
  } catch {
    // Something else has its name by now, which is not ours to change.
  }
}

const OWNER_WRITES = 0o200;

/** A folder that is ours, to which its mode lets nobody write. */
interface Closed {
  readonly name: string;
  readonly mode: number;
}

interface Plan {
  /** What has to be moved, by its name below the staging folder. Nobody relies on it: the way to each is found again. */
  readonly names: readonly string[];
  readonly closed: readonly Closed[];
}

/** @throws PmanError for what stands in the way */
async function plan(
  staging: OpenFolder,
  folder: string,
  leadsToFolder: (name: string) => boolean,
): Promise<Plan> {
  const names: string[] = [];
  const closed: Closed[] = [];
  const pending = [''];
  for (;;) {
    const next = pending.pop();
    if (next === undefined) return { names, closed };
    const before = names.length;
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
    const mode = names.length > before ? closedMode(join(folder, next)) : undefined;
    if (mode !== undefined) closed.push({ name: next, mode });
  }
}

/** The mode of a folder that only has to be opened to be written to; undefined: it is open. @throws PmanError */
function closedMode(path: string): number | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (cause) {
    const { uid, mode } = statSync(path);
    if (systemErrorCode(cause) === 'EACCES' && uid === process.geteuid?.()) return mode & 0o7777;
    throw pathError(path, 'write to', cause);
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
