import { BadRequestError } from '../errors.ts';
import { isJsonObject, type JsonValue, MAX_JSON_DEPTH } from '../wire/json.ts';
import type { TreeNode } from './node.ts';
import { MAX_NAME_BYTES } from './paths.ts';

/** What a lookup needs of the database: the job roots in order, and each one's tree. */
export interface JobForest {
  /** Names of all job roots, oldest first. */
  roots(): { at(place: number): string | undefined };
  /** The job root that a name means; undefined for a name that means none. @throws PmanError conflict when it means several */
  named(name: string): string | undefined;
  /** The tree of one job, or undefined. */
  tree(root: string): TreeNode | undefined;
}

/**
 * Reads a place of a job's tree by an API path (protocol a.6). The first three pieces (`''`, `api`, `v1`) are
 * dropped whatever they say; `_N` stands for the N-th job root; the last pieces may go on into a leaf's
 * JSON value.
 *
 * Gives the chain of parents down to what was found (`{job: {end: {0: {…}}}}`); the same chain with `false`
 * at its end when a job has no such place; `false` for an index that is out of range or no number; `undefined`
 * for one piece that names no job root; an empty object for a path that names no job at all (`namesNoJob`). Empty pieces
 * mean nothing and are ignored (pman 2.2.4 died of them).
 * @throws BadRequestError for a path of more pieces than any tree is deep, or with a piece that no name can be
 */
export function lookup(forest: JobForest, apiPath: string): JsonValue | undefined {
  const pieces = piecesOf(apiPath);
  // The answer repeats the path as nested objects, each line indented by its depth: 16 kB would become 250 MB.
  if (pieces.length > MAX_JSON_DEPTH) {
    throw new BadRequestError(`the path has more than ${MAX_JSON_DEPTH} pieces`);
  }
  pieces.forEach(requireName);
  const [first, ...rest] = pieces;
  if (first === undefined) return {};
  const root = rootByPiece(forest, first);
  if (root === undefined) return false;
  const tree = forest.tree(root);
  if (tree === undefined) {
    return rest.length === 0 ? undefined : chain([root, ...rest], false);
  }
  const found = valueAt(tree, rest);
  return chain([root, ...rest], found === undefined ? false : found);
}

/**
 * Pieces of paths are taken as they stand, so that `%00` is three characters. It is refused all the same: who sends it
 * means NUL.
 * @throws BadRequestError for a piece that can be no name in the tree
 */
export function requireName(piece: string): void {
  if (/\0|%00/.test(piece)) throw new BadRequestError('the path holds a NUL character');
  if (Buffer.byteLength(piece) > MAX_NAME_BYTES) {
    throw new BadRequestError(`the path has a name of more than ${MAX_NAME_BYTES} bytes`);
  }
}

/** Whether an API path is that of the list of all jobs. */
export function namesNoJob(apiPath: string): boolean {
  return piecesOf(apiPath).length === 0;
}

function piecesOf(apiPath: string): readonly string[] {
  return apiPath
    .split('/')
    .slice(3)
    .filter((piece) => piece !== '');
}

/**
 * The job root that the first piece of a path names: by its index, or its short name; undefined for an index that is out of
 * range or no number.
 * @throws PmanError conflict for a short name of several jobs
 */
export function rootByPiece(forest: JobForest, piece: string): string | undefined {
  if (piece.startsWith('_')) return rootByIndex(forest.roots(), piece.slice(1));
  return forest.named(piece) ?? piece;
}

function rootByIndex(roots: ReturnType<JobForest['roots']>, index: string): string | undefined {
  // Python's int() takes a sign; array.at() counts negative numbers from the end, as Python's index does.
  return /^[+-]?\d{1,15}$/.test(index) ? roots.at(Number(index)) : undefined;
}

function valueAt(tree: TreeNode, path: readonly string[]): JsonValue | undefined {
  let node = tree;
  for (const [i, name] of path.entries()) {
    const child = node.children.get(name);
    if (child === undefined) {
      const leaf = node.leaves.get(name);
      return leaf === undefined ? undefined : within(leaf, path.slice(i + 1));
    }
    node = child;
  }
  return node.toJson();
}

/** Goes on inside a leaf's value by string keys. Elements of arrays cannot be reached, as in the original. */
function within(leaf: JsonValue, keys: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = leaf;
  for (const key of keys) {
    value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function chain(names: readonly string[], value: JsonValue): JsonValue {
  return names.reduceRight<JsonValue>((inner, name) => Object.fromEntries([[name, inner]]), value);
}
