import { createHash } from 'node:crypto';
import { checkReadable, type TreeEntry, type WalkOptions, walkTree } from './tree.ts';

/** Whether an entry is taken; `place` is its place in the walk, from 0 on. */
export type Choice = (entry: TreeEntry, place: number) => boolean;

/** What a look at a whole tree found. */
export interface Survey {
  /** Stays the same as long as what is chosen does: names, kinds, sizes, modes and times, not content. */
  readonly tag: string;
  /** The same of the whole tree. */
  readonly treeTag: string;
  /** Stays the same as long as the whole tree has the same entries: names and kinds. */
  readonly shape: string;
  /** All files that are chosen together. */
  readonly bytes: number;
  /** How many entries are chosen. */
  readonly count: number;
  /** The entries once more, from memory as long as they are not too many. */
  entries(): Iterable<TreeEntry> | AsyncIterable<TreeEntry>;
}

// Some 300 bytes each: looking at 20,000 files again takes longer than keeping them.
const MAX_KEPT = 50_000;

/**
 * Looks at everything in a tree, so that what cannot be sent is found before anything is sent. `chosen` says what is
 * wanted of it; default: all.
 */
export async function survey(root: string, options: WalkOptions, chosen?: Choice): Promise<Survey> {
  const tagOf = new LineSum();
  const treeTagOf = chosen === undefined ? undefined : new LineSum();
  const shapeOf = new LineSum();
  const kept: TreeEntry[] = [];
  let count = 0;
  let bytes = 0;
  let place = 0;
  for await (const entry of walkTree(root, options)) {
    const { name, kind, size, mode, mtimeNs, target } = entry;
    const line = JSON.stringify([name, kind, size, mode, String(mtimeNs), target]);
    treeTagOf?.add(line);
    shapeOf.add(`${kind} ${name}\0`);
    const isChosen = chosen?.(entry, place) ?? true;
    place += 1;
    if (!isChosen) continue;
    if (entry.kind === 'file') checkReadable(entry.path);
    tagOf.add(line);
    count += 1;
    bytes += size;
    if (count <= MAX_KEPT) kept.push(entry);
    else kept.length = 0;
  }
  const tag = tagOf.tag();
  return {
    tag,
    treeTag: treeTagOf?.tag() ?? tag,
    shape: shapeOf.tag(),
    bytes,
    count,
    entries: () => (count <= MAX_KEPT ? kept : chosenOf(walkTree(root, options), chosen)),
  };
}

/** Sums up lines, many at a time. */
class LineSum {
  readonly #hash = createHash('sha256');
  #lines = '';

  add(line: string): void {
    this.#lines += line;
    if (this.#lines.length < 64 * 1024) return;
    this.#hash.update(this.#lines);
    this.#lines = '';
  }

  tag(): string {
    return this.#hash.update(this.#lines).digest('hex').slice(0, 32);
  }
}

async function* chosenOf(
  walk: AsyncIterable<TreeEntry>,
  chosen: Choice = () => true,
): AsyncGenerator<TreeEntry> {
  let place = 0;
  for await (const entry of walk) {
    if (chosen(entry, place)) yield entry;
    place += 1;
  }
}
