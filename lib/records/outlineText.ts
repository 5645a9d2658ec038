import { TreeNode } from '../tree/node.ts';
import {
  ExactNumber,
  isJsonObject,
  isLargerThan,
  type JsonObject,
  type JsonValue,
  parseJson,
} from '../wire/json.ts';
import { asciiJson, dumps } from '../wire/pythonJson.ts';
import { endsIn } from './outline.ts';

/**
 * An outline as a line of text (`outlineStore.ts`), without what the parts have printed and where they ran: of that, lists show
 * nothing. `parts` are the entries of a job of a host whose parts have all ended; of any other record `tree` has it all.
 */
type Outline = { readonly leaves: JsonObject } & (
  | { readonly parts: JsonObject }
  | { readonly tree: JsonObject }
);

/** What is left out of the entries of parts. */
const NOT_SHOWN = new Set(
  ['stdout', 'stderr'].concat(['system', 'machine', 'platform', 'uname', 'version']),
);

/** Of an outline that is kept: a longer one is as well read from its record. */
export const MOST_BYTES = 16 * 1024;
const LIMITS = { maxCharacters: MOST_BYTES, maxValues: 4000 };
const MOST_PARTS = 200;

/** The outline of the record of a job that has ended, as a line of ASCII; undefined for one of more than `MOST_BYTES`. */
export function outlineText(root: string, record: TreeNode): string | undefined {
  const outline = outlineOf(record);
  // No text is made of what is far too long.
  if (outline === undefined || isLargerThan(outline, LIMITS)) return undefined;
  const text = `${beginningOf(root)}${textOf(outline)}}\n`;
  return text.length > MOST_BYTES ? undefined : text;
}

function outlineOf(record: TreeNode): Outline | undefined {
  const ends = endsIn(record);
  const leaves = leavesOf(record);
  if (ends === undefined) return { leaves, tree: branchesOf(record) };
  return Object.keys(ends).length > MOST_PARTS ? undefined : { leaves, parts: shownOf(ends) };
}

const beginningOf = (root: string) => `{"root":${JSON.stringify(root)},"outline":`;

function textOf(outline: Outline): string {
  const before = ExactNumber.roundedCount;
  const text = JSON.stringify(outline);
  // Numbers that JavaScript has no place for are written digit by digit.
  return ExactNumber.roundedCount === before ? asciiJson(text) : dumps(outline);
}

/** Whether a line begins as that of a job does. */
export function isOf(root: string, line: string): boolean {
  return line.startsWith(beginningOf(root));
}

/** The outline in a line; undefined when it is none: a crash has garbled it, say. */
export function outlineIn(line: string): TreeNode | undefined {
  const value = jsonIn(line);
  const outline = isJsonObject(value) ? value.outline : undefined;
  if (!isJsonObject(outline)) return undefined;
  const { leaves, parts, tree } = outline;
  if (!isJsonObject(leaves)) return undefined;
  const node = withLeaves(new TreeNode(), leaves);
  if (!isJsonObject(parts)) return isJsonObject(tree) ? withBranches(node, tree) : undefined;
  const last = String(Object.keys(parts).length - 1);
  // The entries of parts that have ended are the same on both sides.
  for (const side of ['start', 'end']) node.mkdir([side, last]).setLeaf(`${side}Info`, parts);
  return node;
}

function jsonIn(line: string): JsonValue | undefined {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}

/** The nodes below a node, each as its leaves and its nodes. */
function branchesOf(node: TreeNode): JsonObject {
  const branches = [...node.children].map(([name, child]): readonly [string, JsonValue] => [
    name,
    [leavesOf(child), branchesOf(child)],
  ]);
  return Object.fromEntries(branches);
}

function withBranches(node: TreeNode, branches: JsonObject): TreeNode | undefined {
  for (const [name, branch] of Object.entries(branches)) {
    const [leaves, below] = Array.isArray(branch) ? branch : [];
    if (!isJsonObject(leaves) || !isJsonObject(below)) return undefined;
    const child = withBranches(withLeaves(new TreeNode(), leaves), below);
    if (child === undefined) return undefined;
    node.setChild(name, child);
  }
  return node;
}

function withLeaves(node: TreeNode, leaves: JsonObject): TreeNode {
  for (const [name, leaf] of Object.entries(leaves)) node.setLeaf(name, leaf);
  return node;
}

function leavesOf(node: TreeNode): JsonObject {
  const leaves = [...node.leaves].map(([name, leaf]): readonly [string, JsonValue] => {
    const isOfParts = name === 'startInfo' || name === 'endInfo';
    return [name, isOfParts && isJsonObject(leaf) ? shownOf(leaf) : leaf];
  });
  return Object.fromEntries(leaves);
}

/** Entries of parts with what lists show of them. */
function shownOf(entries: JsonObject): JsonObject {
  const shown: Record<string, JsonValue> = {};
  for (const [k, entry] of Object.entries(entries)) {
    shown[k] = isJsonObject(entry) ? shortened(entry) : entry;
  }
  return shown;
}

function shortened(entry: JsonObject): JsonObject {
  const short: Record<string, JsonValue> = {};
  for (const name of Object.keys(entry)) {
    const value = entry[name];
    if (value !== undefined && !NOT_SHOWN.has(name)) short[name] = value;
  }
  return short;
}
