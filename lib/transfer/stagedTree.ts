import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  lutimesSync,
  openSync,
  symlinkSync,
  utimesSync,
  write,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { BadRequestError, systemErrorCode } from '../errors.ts';
import { checkLink, goesUpLater, type Look } from './checkLink.ts';
import { HeldTree } from './heldTree.ts';
import { OpenFolder } from './openFolder.ts';
import { pathError } from './pathError.ts';
import { utimesSeconds } from './times.ts';

const writeAsync = promisify(write);
const { O_CREAT, O_EXCL, O_WRONLY } = constants;
// Set-id bits do not come over the network.
const KEPT_MODE = 0o1777;
const USUAL_MODE = 0o644;

/** A file, folder or link that has arrived; its name is checked. */
export interface TreePart {
  readonly name: string;
  /** Undefined when it is not said. */
  readonly mode: number | undefined;
  readonly mtimeNs: bigint;
}

/** How links are made. */
export interface LinkRules {
  /** What there is in the tree that has arrived. */
  readonly look: Look;
  /** Whether the tree that links may not leave is its first folder, or all of it. */
  readonly rooted: boolean;
  /** Whether what is already there may be reached through links: nobody shares the place. */
  readonly followLinks: boolean;
}

/** A large file that is being written. To be closed. */
export interface StagedFile {
  write(content: Buffer): Promise<void>;
  /** Gives it its mode and time. */
  dress(): void;
  close(): void;
}

/**
 * What arrives, made in a staging folder. Nobody but this process looks into it, so files have their modes from the
 * start. Errors name what is made by its name in the tree.
 */
export class StagedTree {
  readonly #tree: HeldTree;
  readonly #made = new Set<string>(['']);
  readonly #umask = process.umask();

  constructor(staging: OpenFolder) {
    this.#tree = new HeldTree(staging);
  }

  /** Makes a folder, and those above it. @throws PmanError */
  folder(name: string): void {
    if (this.#made.has(name)) return;
    saying(name, () => this.#tree.makeFolder(name));
    for (let at = name.length; at > 0; at = name.lastIndexOf('/', at - 1))
      this.#made.add(name.slice(0, at));
  }

  /** Whether there is a folder of this name, also one that was only made for what is in it. */
  hasFolder(name: string): boolean {
    return this.#made.has(name);
  }

  /** Makes a file with all of its content. @throws PmanError */
  file(part: TreePart, content: Buffer): void {
    this.#folderOf(part);
    saying(part.name, () => {
      const fd = this.#create(part);
      try {
        for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
        this.#dress(fd, part);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Makes a file whose content comes in pieces. @throws PmanError */
  open(part: TreePart): StagedFile {
    this.#folderOf(part);
    const { name } = part;
    const fd = saying(name, () => this.#create(part));
    return {
      async write(content) {
        try {
          for (let at = 0; at < content.length; )
            at += (await writeAsync(fd, content, at)).bytesWritten;
        } catch (error) {
          throw pathError(name, 'write', error);
        }
      },
      dress: () => saying(name, () => this.#dress(fd, part)),
      close: () => closeSync(fd),
    };
  }

  /** Makes a link. @throws PmanError `forbidden` for one that leads out of what arrives */
  link(part: TreePart, target: string, { look, rooted, followLinks }: LinkRules): void {
    this.#folderOf(part);
    const parts = part.name.split('/');
    const top = rooted ? parts.slice(0, 1) : [];
    const above = parts.slice(top.length, -1);
    const lookBelow: Look = (below) => look([...top, ...below]);
    // A link that is the whole of what was sent has no tree around it.
    const way = checkLink(
      { name: part.name, target, above },
      parts.length > top.length ? lookBelow : () => undefined,
    );
    saying(part.name, () => {
      const path = this.#tree.way(part.name);
      // In a store somebody may put a link in the place of a folder that this one goes up from.
      symlinkSync(!followLinks && goesUpLater(target) ? way : target, path);
      const seconds = utimesSeconds(part.mtimeNs);
      lutimesSync(path, seconds, seconds);
    });
  }

  close(): void {
    this.#tree.close();
  }

  #folderOf({ name }: TreePart): void {
    this.folder(name.slice(0, Math.max(0, name.lastIndexOf('/'))));
  }

  #create({ name, mode = USUAL_MODE }: TreePart): number {
    return openSync(this.#tree.way(name), O_WRONLY | O_CREAT | O_EXCL, mode & 0o777);
  }

  #dress(fd: number, { mode = USUAL_MODE, mtimeNs }: TreePart): void {
    const seconds = utimesSeconds(mtimeNs);
    futimesSync(fd, seconds, seconds);
    const kept = mode & KEPT_MODE;
    // It was made with all that the umask lets through.
    if ((kept & 0o777 & ~this.#umask) !== kept) fchmodSync(fd, kept);
  }
}

/** The system's errors name the way to a file and not the file. */
function saying<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const isOfSystem = typeof error === 'object' && error !== null && 'errno' in error;
    if (error instanceof BadRequestError || !isOfSystem) throw error;
    throw pathError(name, 'write', error);
  }
}

/** Modes and times of folders, deepest first: writing into a folder changes its time. */
export async function dressFolders(
  folders: readonly TreePart[],
  folder: string,
  { followLinks }: Pick<LinkRules, 'followLinks'>,
): Promise<void> {
  const deepestFirst = [...folders].sort(
    (a, b) => b.name.split('/').length - a.name.split('/').length,
  );
  const top = OpenFolder.at(folder, undefined);
  const tree = new HeldTree(top);
  try {
    for (const part of deepestFirst) {
      if (isOthersTurn()) await turn();
      const path = join(folder, part.name);
      dress(followLinks ? path : tree.folder(part.name), part, path);
    }
  } finally {
    tree.close();
    top.close();
  }
}

/** @param said the path that an error names */
function dress(path: string, { mode, mtimeNs }: TreePart, said: string): void {
  try {
    if (mode !== undefined) chmodSync(path, mode & KEPT_MODE);
    const seconds = utimesSeconds(mtimeNs);
    utimesSync(path, seconds, seconds);
  } catch (error) {
    // It was there, and is somebody else's who lets others write to it: what has come into it stays all the same.
    if (systemErrorCode(error) !== 'EPERM') throw pathError(said, 'write to', error);
  }
}
