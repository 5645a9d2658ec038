import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  lutimesSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { BadRequestError } from '../errors.ts';
import { checkLink, goesUpLater, type Look } from './checkLink.ts';
import { HeldTree } from './heldTree.ts';
import { type InstallOptions, install } from './install.ts';
import { isReservedName } from './names.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';
import { openStaging } from './staging.ts';
import { utimesSeconds } from './times.ts';
import { checkLimits, type UnpackLimits } from './unpackLimits.ts';
import { type ArchiveEntry, ArchiveReader } from './zip/archiveReader.ts';

export interface UnpackOptions extends InstallOptions {
  readonly limits: UnpackLimits;
  /**
   * Whether the tree that links may not leave is the first folder of the archive (a folder sent with
   * its name) or the archive itself (the content of a folder).
   */
  readonly rooted: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
}

// Set-id bits do not come over the network.
const KEPT_MODE = 0o1777;

/**
 * Unpacks an archive that lies in an open file into a folder. Everything is checked first, then
 * unpacked beside its place, then moved there: when it fails, nothing has changed.
 * @throws PmanError naming the entry and what is wrong with it
 */
export async function unpack(
  fd: number,
  size: number,
  folder: string,
  options: UnpackOptions,
): Promise<Unpacked> {
  const archive = new ArchiveReader(fd, size);
  const entries = await archive.entries();
  checkTree(entries);
  await checkLimits(entries, size, folder, options.limits);
  const staging = await openStaging(folder);
  try {
    const folders = await extract(archive, entries, staging.folder, options);
    await install(staging.folder, folder, options);
    await dressFolders(folders, folder, options);
  } finally {
    await staging.close();
  }
  return {
    files: entries.filter(({ kind }) => kind !== 'folder').length,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Names that meet each other: twice the same, or one below a file or link. */
function checkTree(entries: readonly ArchiveEntry[]): void {
  const kinds = new Map<string, ArchiveEntry['kind']>();
  for (const { name, kind } of entries) {
    const before = kinds.get(name);
    if (before !== undefined && (before !== 'folder' || kind !== 'folder')) {
      throw new BadRequestError(`refused archive: ${JSON.stringify(name)} is in it twice`);
    }
    kinds.set(name, kind);
    if (name.includes('.pfioh-') && name.split('/').some(isReservedName)) {
      throw new BadRequestError(`refused archive: the name ${JSON.stringify(name)} is reserved`);
    }
  }
  for (const { name } of entries) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const above = name.slice(0, at);
      const kind = kinds.get(above);
      if (kind === 'folder') break;
      if (kind !== undefined) {
        throw new BadRequestError(`refused archive: ${JSON.stringify(name)} lies below a ${kind}`);
      }
    }
  }
}

async function extract(
  archive: ArchiveReader,
  entries: readonly ArchiveEntry[],
  staging: OpenFolder,
  { signal, rooted, followLinks }: UnpackOptions,
): Promise<ArchiveEntry[]> {
  const look = lookInto(archive, entries);
  const tree = new HeldTree(staging);
  const made = new Set<string>(['']);
  const folders: ArchiveEntry[] = [];
  try {
    for (const entry of entries) {
      if (isOthersTurn()) await turn();
      signal?.throwIfAborted();
      try {
        if (entry.kind === 'folder') {
          makeFolders(entry.name, tree, made);
          folders.push(entry);
          continue;
        }
        makeFolders(entry.name.slice(0, Math.max(0, entry.name.lastIndexOf('/'))), tree, made);
        const path = tree.way(entry.name);
        if (entry.kind === 'file') await extractFile(archive, entry, path);
        else extractLink(archive, entry, path, { look, rooted, followLinks });
      } catch (error) {
        if (error instanceof BadRequestError || !isSystemError(error)) throw error;
        throw pathError(entry.name, 'write', error);
      }
    }
    return folders;
  } finally {
    tree.close();
  }
}

function isSystemError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errno' in error;
}

function makeFolders(name: string, tree: HeldTree, made: Set<string>): void {
  if (made.has(name)) return;
  tree.makeFolder(name);
  for (let at = name.length; at > 0; at = name.lastIndexOf('/', at - 1))
    made.add(name.slice(0, at));
}

async function extractFile(
  archive: ArchiveReader,
  entry: ArchiveEntry,
  path: string,
): Promise<void> {
  const mode = (entry.mode ?? 0o644) & KEPT_MODE;
  const seconds = utimesSeconds(entry.mtimeNs);
  const content = archive.small(entry);
  if (content !== undefined) {
    const fd = openSync(path, 'wx', 0o600);
    try {
      writeAll(fd, content);
      futimesSync(fd, seconds, seconds);
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
    return;
  }
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of archive.stream(entry)) await file.writeFile(chunk);
    await file.utimes(seconds, seconds);
    await file.chmod(mode);
  } finally {
    await file.close();
  }
}

function writeAll(fd: number, content: Buffer): void {
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
}

interface LinkOptions {
  readonly look: Look;
  readonly rooted: boolean;
  readonly followLinks: boolean;
}

function extractLink(
  archive: ArchiveReader,
  entry: ArchiveEntry,
  path: string,
  { look, rooted, followLinks }: LinkOptions,
): void {
  const target = targetOf(archive, entry);
  const parts = entry.name.split('/');
  const top = rooted ? parts.slice(0, 1) : [];
  const above = parts.slice(top.length, -1);
  const lookBelow: Look = (below) => look([...top, ...below]);
  // A link that is the whole of what was sent has no tree around it.
  const way = checkLink(
    { name: entry.name, target, above },
    parts.length > top.length ? lookBelow : () => undefined,
  );
  // In a store somebody may put a link in the place of a folder that this one goes up from.
  symlinkSync(!followLinks && goesUpLater(target) ? way : target, path);
  const seconds = utimesSeconds(entry.mtimeNs);
  lutimesSync(path, seconds, seconds);
}

const MAX_TARGET_BYTES = 4096;

function targetOf(archive: ArchiveReader, entry: ArchiveEntry): string {
  const content = entry.bytes <= MAX_TARGET_BYTES ? archive.small(entry) : undefined;
  if (content === undefined)
    throw new BadRequestError(`refused link ${JSON.stringify(entry.name)}: its target is too long`);
  return content.toString('utf8');
}

/** What lies in the tree of an archive. */
function lookInto(archive: ArchiveReader, entries: readonly ArchiveEntry[]): Look {
  let all: Map<string, ArchiveEntry | 'folder'> | undefined;
  return (parts) => {
    all ??= byName(entries);
    const there = all.get(parts.join('/'));
    if (there === undefined || there === 'folder') return there;
    return there.kind === 'link' ? { target: targetOf(archive, there) } : there.kind;
  };
}

/** The entries by name, and the folders that have none of their own. */
function byName(entries: readonly ArchiveEntry[]): Map<string, ArchiveEntry | 'folder'> {
  const all = new Map<string, ArchiveEntry | 'folder'>();
  for (const { name } of entries) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1))
      all.set(name.slice(0, at), 'folder');
  }
  for (const entry of entries) all.set(entry.name, entry);
  return all;
}

/** Modes and times of folders, deepest first: writing into a folder changes its time. */
async function dressFolders(
  folders: readonly ArchiveEntry[],
  folder: string,
  { followLinks }: InstallOptions,
): Promise<void> {
  const deepestFirst = [...folders].sort(
    (a, b) => b.name.split('/').length - a.name.split('/').length,
  );
  const top = OpenFolder.at(folder, undefined);
  const tree = new HeldTree(top);
  try {
    for (const entry of deepestFirst) {
      if (isOthersTurn()) await turn();
      dress(followLinks ? join(folder, entry.name) : tree.folder(entry.name), entry);
    }
  } finally {
    tree.close();
    top.close();
  }
}

function dress(path: string, { mode, mtimeNs }: ArchiveEntry): void {
  if (mode !== undefined) chmodSync(path, mode & KEPT_MODE);
  const seconds = utimesSeconds(mtimeNs);
  utimesSync(path, seconds, seconds);
}
