import { accessSync, type BigIntStats, constants, lstatSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { inTurns, isOthersTurn, turn } from '../concurrency/turns.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import { checkLink, type Look } from './checkLink.ts';
import { isOwnName, isReservedName, targetText } from './names.ts';
import { OpenFolder } from './openFolder.ts';
import { sourceError } from './sourceError.ts';

/** One file, folder or symbolic link of a tree that is sent. */
export interface TreeEntry {
  /** Where it lies. */
  readonly path: string;
  /** What it is called in an archive: relative, with `/`, folders without one at the end. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Bytes of a file when it was looked at, 0 for the others. */
  readonly size: number;
  /** Permission bits and the set-id and sticky bits. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Where a link leads. */
  readonly target: string;
  /** Which file it was: a path may lead to another one later. */
  readonly dev: bigint;
  readonly ino: bigint;
  /** The walk that has found it: where it started, and the store that it stays in. */
  readonly top: { readonly path: string; readonly within: string | undefined };
}

export interface WalkOptions {
  /** What the names in the archive start with; empty for the content of a folder. */
  readonly prefix: string;
  /** The store that nothing may be read outside of; undefined when the whole file system is open. */
  readonly within?: string | undefined;
  /** Hears of what cannot be sent, which is left out then. Default: the walk ends with the reason. */
  readonly leftOut?: ((left: LeftOut) => void) | undefined;
}

/** What a tree is sent without, and why. */
export interface LeftOut {
  /** As an entry would be called; that of a folder whose content cannot be known has a `/` at its end. */
  readonly name: string;
  readonly why: PmanError;
}

/**
 * Walks a file or folder in turns with other work, in the order of names, so that two walks of an unchanged tree agree. Links are not
 * followed, also those that somebody puts in the place of a folder meanwhile: what is in a folder is looked at
 * by way of the open folder.
 * @throws PmanError for a link that leads outside, a device, socket or pipe, a name that is not
 * UTF-8, and what cannot be read or is gone, unless such things are left out: what is gone is
 * passed over then
 */
export async function* walkTree(
  root: string,
  { prefix, within, leftOut }: WalkOptions,
): AsyncGenerator<TreeEntry> {
  const top = { path: root, within };
  const above = OpenFolder.above(root, within);
  const open: { readonly folder: OpenFolder; readonly name: string; readonly names: string[] }[] =
    [];
  try {
    const rootEntry = entryOf(above.way(root), root, prefix, top);
    if (rootEntry.name !== '') yield rootEntry;
    if (rootEntry.kind !== 'folder') return;
    open.push(await opened(above, rootEntry, leftOut));
    for (;;) {
      if (isOthersTurn()) await turn();
      const inner = open.at(-1);
      if (inner === undefined) return;
      const child = inner.names.pop();
      if (child === undefined) {
        inner.folder.close();
        open.pop();
        continue;
      }
      const { folder } = inner;
      const path = folder.path === '/' ? `/${child}` : `${folder.path}/${child}`;
      const name = inner.name === '' ? child : `${inner.name}/${child}`;
      let known = name;
      try {
        const entry = entryOf(folder.wayTo(child), path, name, top);
        if (entry.kind === 'file' && leftOut !== undefined) checkReadable(path);
        yield entry;
        if (entry.kind !== 'folder') continue;
        known = `${name}/`;
        open.push(await opened(folder, entry, leftOut));
      } catch (why) {
        if (leftOut === undefined || !isLeftOut(why)) throw why;
        // What is gone by now is not there: it has been when its folder was read.
        if (why.code === 'not_found') continue;
        leftOut({ name: known, why });
      }
    }
  } finally {
    for (const { folder } of open) folder.close();
    above.close();
  }
}

/** `storage`: errors of the disk that have no other name. */
const MISSED: ReadonlySet<string> = new Set([
  'forbidden',
  'bad_request',
  'storage',
  'name_too_long',
  'not_found',
]);

/** Whether a tree may do without it. */
function isLeftOut(error: unknown): error is PmanError {
  return error instanceof PmanError && MISSED.has(error.code);
}

async function opened(
  above: OpenFolder,
  { path, name }: TreeEntry,
  leftOut: WalkOptions['leftOut'],
) {
  const folder = above.folder(path);
  const refuse = (child: string, why: PmanError) => {
    if (leftOut === undefined) throw why;
    leftOut({ name: name === '' ? child : `${name}/${child}`, why });
  };
  try {
    return { folder, name, names: (await childrenOf(folder, refuse)).reverse() };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** @param way how the system finds it */
function entryOf(way: string, path: string, name: string, top: TreeEntry['top']): TreeEntry {
  const stats = statOf(way, path);
  const mode = Number(stats.mode) & 0o7777;
  const { dev, ino, mtimeNs } = stats;
  const common = { path, name, mode, mtimeNs, dev, ino, top, size: 0, target: '' };
  if (stats.isDirectory()) return { ...common, kind: 'folder' };
  if (stats.isFile()) return { ...common, kind: 'file', size: Number(stats.size) };
  if (!stats.isSymbolicLink()) {
    throw new BadRequestError(
      `${path} is neither a file nor a folder nor a link: it cannot be sent`,
    );
  }
  const target = targetText(readlinkSync(way, { encoding: 'buffer' }), path);
  const isTop = path === top.path;
  const inTree = isTop ? [] : relative(top.path, dirname(path)).split('/').filter(Boolean);
  checkLink({ name: path, target, above: inTree }, isTop ? () => undefined : lookBelow(top.path));
  return { ...common, kind: 'link', target };
}

/** What lies in a tree on disk. */
function lookBelow(top: string): Look {
  return (parts) => {
    const path = join(top, ...parts);
    try {
      const stats = lstatSync(path);
      if (stats.isSymbolicLink()) return { target: readlinkSync(path) };
      return stats.isDirectory() ? 'folder' : 'file';
    } catch {
      // Whatever the reason: it cannot be known where a way through it leads.
      return undefined;
    }
  };
}

function statOf(way: string, path: string): BigIntStats {
  try {
    return lstatSync(way, { bigint: true });
  } catch (cause) {
    throw sourceError(path, 'look at', cause);
  }
}

/** @throws SourceError when the system would not open a file */
export function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw sourceError(path, 'read', cause);
  }
}

/** Hears of a name that cannot be sent. */
type RefuseName = (child: string, why: PmanError) => void;

async function childrenOf(folder: OpenFolder, refuse: RefuseName): Promise<string[]> {
  let names: Buffer[];
  try {
    names = await readdir(folder.itself, { encoding: 'buffer' });
  } catch (cause) {
    throw sourceError(folder.path, 'list', cause);
  }
  return (await inTurns(textsOf(names, folder.path, refuse))).sort();
}

function* textsOf(
  names: readonly Buffer[],
  path: string,
  refuse: RefuseName,
): Generator<void, string[], void> {
  const texts: string[] = [];
  for (const name of names) {
    yield;
    const text = name.toString('utf8');
    if (!Buffer.from(text).equals(name)) {
      const latin = name.toString('latin1');
      refuse(latin, new BadRequestError(`${path} holds a name that is not UTF-8: ${latin}`));
    } else if (isReservedName(text) && !isOwnName(text)) {
      const said = `${path}/${text} cannot be sent: the name is kept for what pfioh itself makes`;
      refuse(text, new BadRequestError(said));
    } else if (!isOwnName(text)) texts.push(text);
  }
  return texts;
}

/** The name that a file or folder has in archives: the last part of its path. */
export function archiveName(path: string): string {
  return basename(resolve(path)) || 'root';
}
