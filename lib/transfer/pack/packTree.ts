import { realpathSync } from 'node:fs';
import { BadRequestError } from '../../errors.ts';
import type { Look } from '../checkLink.ts';
import type { HeldTree } from '../heldTree.ts';
import { entryParts, isReservedName, requireShort } from '../names.ts';
import type { LinkRules, StagedFile, StagedTree, TreePart } from '../stagedTree.ts';
import { checkAmount, checkFree, type UnpackLimits } from '../unpackLimits.ts';
import type { FailedEntry } from './failedEntry.ts';
import { damagedPack, type PackStart } from './packFormat.ts';
import type { PackEntry, PackTarget } from './packReader.ts';
import { PatchedFile } from './patchedFile.ts';

/** What names and links may take in memory, whatever comes; and so many times what has come. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;
const MOST_KEPT_RATIO = 8;

export interface PackTreeOptions {
  readonly limits: UnpackLimits;
  /** Where it will lie. */
  readonly folder: string;
  /** What is there already. */
  readonly place: HeldTree;
  /** How many bytes have come, as they were sent. */
  readonly arrived: () => number;
  /** Hears of what the other side could not send. Default: a pack has to be whole. */
  readonly onFailed?: ((entry: FailedEntry) => void) | undefined;
}

/**
 * Makes what is in a pack in a staging folder while it comes, by the rules that hold for archives: no name leaves the
 * folder, comes twice or lies below a file; it does not become more than was said, or than is allowed. Links are made
 * last, when all is known that they may lead to.
 */
export class PackTree implements PackTarget {
  readonly folders: TreePart[] = [];
  /** The names of files that were begun, and are not to be put in place. */
  readonly dropped = new Set<string>();
  readonly #tree: StagedTree;
  readonly #options: PackTreeOptions;
  /** What names stand behind in the end: the folder may be named by a handle. */
  readonly #top: string;
  readonly #kinds = new Map<string, 'file' | 'folder' | { readonly target: string }>();
  readonly #links: { readonly part: TreePart; readonly target: string }[] = [];
  #said: PackStart = { entries: 0, bytes: 0 };
  #bytes = 0;
  #keptBytes = 0;
  #open: StagedFile | undefined;
  #openName = '';
  #patch: PatchedFile | undefined;
  /** Of the files that are made anew from what is in their place, what is copied: it has come earlier. */
  #copied = 0;
  #mayCopy = 0;
  #folders = 0;

  constructor(tree: StagedTree, options: PackTreeOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#top = realpathSync.native(options.folder);
  }

  /** How many files and links there are. */
  get files(): number {
    return this.#kinds.size - this.#folders;
  }

  async start(said: PackStart): Promise<void> {
    this.#said = said;
    this.#check();
    await checkFree(said.bytes, this.#options.folder);
  }

  folder(entry: PackEntry): void {
    const part = this.#part(entry, 'folder');
    this.#tree.folder(part.name);
    this.folders.push(part);
  }

  link(entry: PackEntry, target: string): void {
    this.#links.push({ part: this.#part(entry, { target }), target });
    this.#keptBytes += target.length;
  }

  file(entry: PackEntry, content: Buffer): void {
    this.#count(content.length);
    this.#tree.file(this.#part(entry, 'file'), content);
  }

  open(entry: PackEntry): void {
    const part = this.#part(entry, 'file');
    const file = this.#tree.open(part);
    [this.#open, this.#openName] = [file, part.name];
  }

  openPatch(entry: PackEntry): void {
    const part = this.#part(entry, 'file');
    const patch = new PatchedFile(part.name, this.#options.place, () => this.#tree.open(part));
    [this.#open, this.#patch, this.#mayCopy] = [patch, patch, patch.oldBytes];
  }

  async copy(from: number, bytes: number): Promise<void> {
    this.#patch?.requireOld(from, bytes);
    // Nobody makes a large file from one that is copied again and again.
    const counted = Math.min(bytes, this.#mayCopy);
    this.#mayCopy -= counted;
    this.#copied += counted;
    this.#count(bytes);
    await this.#patch?.copy(from, bytes);
  }

  closePatch(sum: Buffer): void {
    this.#patch?.check(sum);
    this.close();
  }

  async piece(content: Buffer): Promise<void> {
    this.#count(content.length);
    await this.#open?.write(content);
  }

  close(): void {
    this.#open?.dress();
    this.giveUp();
  }

  drop(): void {
    if (this.#options.onFailed === undefined) throw damagedPack('it is not whole');
    this.giveUp();
    this.dropped.add(this.#openName);
    // Neither is it counted, nor may a link lead to it.
    this.#kinds.delete(this.#openName);
  }

  /** @throws BadRequestError where nobody wants to hear of it */
  failed(entry: FailedEntry): void {
    const { onFailed } = this.#options;
    if (onFailed === undefined) throw damagedPack('it is not whole');
    this.#keptBytes += entry.name.length + entry.why.length;
    this.#check();
    onFailed(entry);
  }

  /** Closes what is open. */
  giveUp(): void {
    this.#open?.close();
    [this.#open, this.#patch] = [undefined, undefined];
  }

  /** Makes the links, when all has come. @throws PmanError for one that leads outside */
  makeLinks(rules: Omit<LinkRules, 'look'>): void {
    for (const { part, target } of this.#links) {
      this.#tree.link(part, target, { ...rules, look: this.#look });
    }
  }

  readonly #look: Look = (parts) => {
    const name = parts.join('/');
    return this.#kinds.get(name) ?? (this.#tree.hasFolder(name) ? 'folder' : undefined);
  };

  /** Checks what an entry is called, and takes note of it. */
  #part(
    { name: said, mode, mtimeNs }: PackEntry,
    kind: 'file' | 'folder' | { readonly target: string },
  ): TreePart {
    const parts = entryParts(said);
    const name = parts.join('/');
    requireShort(name, this.#top);
    if (name === '') throw new BadRequestError('refused archive: it has an entry without a name');
    if (name.includes('.pfioh-') && parts.some(isReservedName)) {
      throw new BadRequestError(`refused archive: the name ${JSON.stringify(name)} is reserved`);
    }
    const before = this.#kinds.get(name) ?? (this.#tree.hasFolder(name) ? 'folder' : undefined);
    if (before !== undefined && (before !== 'folder' || kind !== 'folder')) {
      throw new BadRequestError(`refused archive: ${JSON.stringify(name)} is in it twice`);
    }
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const above = this.#kinds.get(name.slice(0, at));
      if (above === 'folder') break;
      if (above === undefined) continue;
      const what = above === 'file' ? 'file' : 'link';
      throw new BadRequestError(`refused archive: ${JSON.stringify(name)} lies below a ${what}`);
    }
    if (kind === 'folder' && !this.#kinds.has(name)) this.#folders += 1;
    this.#kinds.set(name, kind);
    this.#keptBytes += name.length;
    this.#check();
    return { name, mode: mode & 0o7777, mtimeNs };
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#check();
  }

  #check(): void {
    const { limits, arrived } = this.#options;
    const came = arrived() + this.#copied;
    const entries = Math.max(this.#kinds.size, this.#said.entries);
    checkAmount({ entries, bytes: this.#bytes, packed: 0 }, came, limits);
    if (this.#keptBytes > Math.max(MOST_KEPT_BYTES, MOST_KEPT_RATIO * arrived()))
      throw damagedPack('its names are longer than all that has come');
  }
}
