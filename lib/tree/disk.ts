import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isTemporary, messageOf, systemErrorCode } from '../errors.ts';
import { replaceFile, syncFolder, withDraft, writeNewFile } from '../host/atomicFile.ts';
import type { Rights } from '../host/rights.ts';
import { type JsonValue, parseJson } from '../wire/json.ts';
import { dumps } from '../wire/pythonJson.ts';
import { TreeNode } from './node.ts';

/**
 * Trees as folders: a folder for each node, a file for each leaf, its content the JSON text of the value on one
 * line (protocol b). Nothing is changed in place: what is new is written elsewhere and renamed to where it belongs.
 */

/** Called for a file that is no leaf, or a folder that cannot be listed: the rest is read without it. */
export type OnUnreadable = (file: string, reason: string) => void;

export interface ReadTree {
  readonly tree: TreeNode;
  /** Size of the leaves' texts, in characters: about what the tree takes in memory. */
  readonly weight: number;
}

/**
 * Reads a folder as a node, or undefined when there is none. Leaves and children come in order of their names.
 * @param isWanted which of its child nodes are read, by their names; default: all
 * @throws the system's error when it lacks what reading takes (open files, memory), never for what is there to be read
 */
export function readTree(
  folder: string,
  onUnreadable: OnUnreadable,
  isWanted: (name: string) => boolean = () => true,
): ReadTree | undefined {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isTemporary(error)) throw error;
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') onUnreadable(folder, messageOf(error));
    return undefined;
  }
  const tree = new TreeNode();
  let weight = 100;
  entries.sort((a, b) => compareNames(a.name, b.name));
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!isWanted(entry.name)) continue;
      const child = readTree(path, onUnreadable);
      if (child === undefined) continue; // removed meanwhile
      tree.setChild(entry.name, child.tree);
      weight += child.weight;
    } else if (!entry.isFile() && !entry.isSymbolicLink()) {
      onUnreadable(path, 'it is neither a file nor a folder'); // a pipe would be waited for without end
    } else {
      const leaf = readLeaf(path, onUnreadable);
      if (leaf === undefined) continue;
      tree.setLeaf(entry.name, leaf.value);
      weight += leaf.length;
    }
  }
  return { tree, weight };
}

/** Epochs are numbers: 10 comes after 9. */
function compareNames(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isInteger(x) && Number.isInteger(y)) return x - y;
  return a < b ? -1 : 1;
}

/**
 * Reads one leaf, or undefined when it is missing or no JSON.
 * @throws as readTree
 */
export function readLeaf(
  file: string,
  onUnreadable: OnUnreadable,
): { readonly value: JsonValue; readonly length: number } | undefined {
  let text: string;
  try {
    text = textOf(file);
  } catch (error) {
    if (isTemporary(error)) throw error;
    if (systemErrorCode(error) !== 'ENOENT') onUnreadable(file, messageOf(error));
    return undefined;
  }
  try {
    return { value: parseJson(text), length: text.length };
  } catch (error) {
    onUnreadable(file, (error as Error).message);
    return undefined;
  }
}

/** Most leaves are read into it: a buffer for each of a record's eleven costs more than the reading. */
const room = Buffer.allocUnsafeSlow(16 * 1024);

function textOf(file: string): string {
  const opened = openSync(file, 'r');
  try {
    const length = readSync(opened, room, 0, room.length, 0);
    if (length < room.length) return room.toString('utf8', 0, length);
  } finally {
    closeSync(opened);
  }
  return readFileSync(file, 'utf8');
}

export interface WriteOptions {
  /** A folder on the same file system, outside the tree, where drafts are written. */
  readonly drafts: string;
  /** Whether to have the disk confirm (fsync): then a power failure loses nothing either. */
  readonly fsync: boolean;
  /** Of the folders and files that are made. */
  readonly rights: Rights;
}

/**
 * Writes one leaf; a reader sees the old value or the new one. Its folder is made where it is missing. Gives the
 * size of the text.
 */
export function writeLeaf(file: string, value: JsonValue, options: WriteOptions): number {
  const text = dumps(value);
  replaceFile(file, text, options);
  return text.length;
}

/** How the trees are called that lie among the drafts while new ones take their places. */
const REPLACED = 'old-';

/**
 * Puts back the trees that were being replaced when a process was killed; then the drafts are of no more use.
 * @param folder where the trees belong
 */
export function restoreReplaced(drafts: string, folder: string): void {
  if (!existsSync(drafts)) return;
  for (const name of readdirSync(drafts)) {
    const place = join(folder, name.slice(REPLACED.length));
    if (name.startsWith(REPLACED) && !existsSync(place)) renameSync(join(drafts, name), place);
  }
}

/** Writes a whole tree; a reader sees none of it or all. Gives the size of the texts. */
export function writeTree(folder: string, tree: TreeNode, options: WriteOptions): number {
  const { drafts, fsync } = options;
  const old = existsSync(folder) ? join(drafts, `${REPLACED}${basename(folder)}`) : undefined;
  const weight = withDraft(drafts, (draft) => {
    const size = writeNode(draft, tree, options);
    if (old !== undefined) {
      rmSync(old, { recursive: true, force: true });
      renameSync(folder, old);
    }
    try {
      renameSync(draft, folder);
    } catch (error) {
      if (old !== undefined) renameSync(old, folder);
      throw error;
    }
    return size;
  });
  if (fsync) syncFolder(dirname(folder));
  if (old !== undefined) rmSync(old, { recursive: true, force: true });
  return weight;
}

function writeNode(folder: string, node: TreeNode, options: WriteOptions): number {
  mkdirSync(folder, { mode: options.rights.folder });
  let weight = 100;
  for (const [name, value] of node.leaves) {
    const text = dumps(value);
    weight += text.length;
    writeNewFile(join(folder, name), text, options);
  }
  for (const [name, child] of node.children)
    weight += writeNode(join(folder, name), child, options);
  if (options.fsync) syncFolder(folder);
  return weight;
}
