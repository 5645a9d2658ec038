import { realpathSync } from 'node:fs';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { BadRequestError } from '../errors.ts';
import type { Look } from './checkLink.ts';
import { type InstallOptions, install } from './install.ts';
import { isReservedName, requireShort, targetText } from './names.ts';
import type { OpenFolder } from './openFolder.ts';
import { dressFolders, StagedTree } from './stagedTree.ts';
import { openStaging } from './staging.ts';
import { checkLimits, type UnpackLimits } from './unpackLimits.ts';
import { type ArchiveEntry, ArchiveReader } from './zip/archiveReader.ts';

export interface UnpackOptions extends InstallOptions {
  readonly limits: UnpackLimits;
  /**
   * Whether the tree that links may not leave is the first folder of the archive (a folder sent with
   * its name) or the archive itself (the content of a folder). An archive with several entries at its top is no folder with
   * its name.
   */
  readonly rooted: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
}

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
  const top = realpathSync.native(folder);
  for (const { name } of entries) requireShort(name, top);
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
  { signal, followLinks, ...options }: UnpackOptions,
): Promise<ArchiveEntry[]> {
  const rooted = options.rooted && new Set(entries.map(({ name }) => topOf(name))).size <= 1;
  const look = lookInto(archive, entries);
  const tree = new StagedTree(staging);
  const folders: ArchiveEntry[] = [];
  try {
    for (const entry of entries) {
      if (isOthersTurn()) await turn();
      signal?.throwIfAborted();
      if (entry.kind === 'folder') {
        tree.folder(entry.name);
        folders.push(entry);
      } else if (entry.kind === 'file') await extractFile(archive, entry, tree);
      else tree.link(entry, targetOf(archive, entry), { look, rooted, followLinks });
    }
    return folders;
  } finally {
    tree.close();
  }
}

function topOf(name: string): string {
  const end = name.indexOf('/');
  return end < 0 ? name : name.slice(0, end);
}

async function extractFile(
  archive: ArchiveReader,
  entry: ArchiveEntry,
  tree: StagedTree,
): Promise<void> {
  const content = archive.small(entry);
  if (content !== undefined) {
    tree.file(entry, content);
    return;
  }
  const file = tree.open(entry);
  try {
    for await (const chunk of archive.stream(entry)) await file.write(chunk);
    file.dress();
  } finally {
    file.close();
  }
}

const MAX_TARGET_BYTES = 4096;

function targetOf(archive: ArchiveReader, entry: ArchiveEntry): string {
  const content = entry.bytes <= MAX_TARGET_BYTES ? archive.small(entry) : undefined;
  if (content === undefined)
    throw new BadRequestError(`refused link ${JSON.stringify(entry.name)}: its target is too long`);
  return targetText(content, entry.name);
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
