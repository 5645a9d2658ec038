import { createHash } from 'node:crypto';
import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BadRequestError, PmanError, systemErrorCode } from '../errors.ts';
import { checkLink, isOwnName } from './names.ts';

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
}

export interface WalkOptions {
  /** What the names in the archive start with; empty for the content of a folder. */
  readonly prefix: string;
}

const TURN_EVERY = 500;

/**
 * Walks a file or folder in the order of names, so that two walks of an unchanged tree agree. Links
 * are not followed.
 * @throws PmanError for a link that leads outside, a device, socket or pipe, a name that is not
 * UTF-8, and what cannot be read
 */
export async function* walkTree(root: string, { prefix }: WalkOptions): AsyncGenerator<TreeEntry> {
  const rootStats = statOf(root);
  const rooted = rootStats.isDirectory() ? 0 : 1;
  const pending = [{ path: root, name: prefix, depth: 0 }];
  for (let seen = 1; ; seen += 1) {
    const next = pending.pop();
    if (next === undefined) return;
    if (seen % TURN_EVERY === 0) await nextTurn();
    const entry = entryOf(next.path, next.name, next.depth - 1 + rooted);
    if (entry.name !== '') yield entry;
    if (entry.kind !== 'folder') continue;
    const children = childrenOf(next.path).map((child) => ({
      path: join(next.path, child),
      name: next.name === '' ? child : `${next.name}/${child}`,
      depth: next.depth + 1,
    }));
    pending.push(...children.reverse());
  }
}

function entryOf(path: string, name: string, linkDepth: number): TreeEntry {
  const stats = statOf(path);
  const mode = Number(stats.mode & 0o7777n);
  const common = { path, name, mode, mtimeNs: stats.mtimeNs, size: 0, target: '' };
  if (stats.isDirectory()) return { ...common, kind: 'folder' };
  if (stats.isFile()) return { ...common, kind: 'file', size: Number(stats.size) };
  if (!stats.isSymbolicLink()) {
    throw new BadRequestError(
      `${path} is neither a file nor a folder nor a link: it cannot be sent`,
    );
  }
  const target = readlinkSync(path);
  checkLink(path, target, linkDepth);
  return { ...common, kind: 'link', target };
}

function statOf(path: string): BigIntStats {
  try {
    return lstatSync(path, { bigint: true });
  } catch (cause) {
    throw pathError(path, 'look at', cause);
  }
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw pathError(path, 'read', cause);
  }
}

function childrenOf(folder: string): string[] {
  let names: Buffer[];
  try {
    names = readdirSync(folder, { encoding: 'buffer' });
  } catch (cause) {
    throw pathError(folder, 'list', cause);
  }
  const texts = names.map((name) => {
    const text = name.toString('utf8');
    if (Buffer.from(text).equals(name)) return text;
    throw new BadRequestError(
      `${folder} holds a name that is not UTF-8: ${name.toString('latin1')}`,
    );
  });
  return texts.filter((name) => !isOwnName(name)).sort();
}

/** A system error about a path as an error that a client may see. */
export function pathError(path: string, what: string, cause: unknown): PmanError {
  const code = systemErrorCode(cause);
  const message = `cannot ${what} ${path}: ${code ?? 'unknown error'}`;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new PmanError('not_found', `${message} (no such file or folder)`, { cause });
  if (code === 'EACCES' || code === 'EPERM')
    return new PmanError('forbidden', `${message} (no permission)`, { cause });
  if (code === 'EROFS')
    return new PmanError('forbidden', `${message} (read-only file system)`, { cause });
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new PmanError('storage', `${message} (no space left)`, { cause });
  return new PmanError('storage', message, { cause });
}

/** The name that a file or folder has in archives: the last part of its path. */
export function archiveName(path: string): string {
  return basename(resolve(path)) || 'root';
}

/** What a look at a whole tree found. */
export interface Survey {
  /** Stays the same as long as the tree does: names, kinds, sizes, modes and times, not content. */
  readonly tag: string;
  /** All files together. */
  readonly bytes: number;
  /** The entries once more, from memory as long as they are not too many. */
  entries(): Iterable<TreeEntry> | AsyncIterable<TreeEntry>;
}

// Some 300 bytes each: looking at 20,000 files again takes longer than keeping them.
const MAX_KEPT = 50_000;

/** Looks at everything in a tree, so that what cannot be sent is found before anything is sent. */
export async function survey(root: string, options: WalkOptions): Promise<Survey> {
  const hash = createHash('sha256');
  const kept: TreeEntry[] = [];
  let count = 0;
  let bytes = 0;
  for await (const entry of walkTree(root, options)) {
    if (entry.kind === 'file') checkReadable(entry.path);
    const { name, kind, size, mode, mtimeNs, target } = entry;
    hash.update(JSON.stringify([name, kind, size, mode, String(mtimeNs), target]));
    count += 1;
    bytes += size;
    if (count <= MAX_KEPT) kept.push(entry);
    else kept.length = 0;
  }
  return {
    tag: hash.digest('hex').slice(0, 32),
    bytes,
    entries: () => (count <= MAX_KEPT ? kept : walkTree(root, options)),
  };
}
