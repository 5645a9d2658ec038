import { closeSync, constants, existsSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PmanError } from '../errors.ts';
import { sourceError } from './sourceError.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
// Of Linux and not in Node's list: a handle to what a folder holds, also where it may not be listed.
const O_PATH = 0o10000000;
/** Where the system shows open files as paths; other systems go by the names. */
const HANDLES = '/proc/self/fd';
const hasHandles = process.platform === 'linux' && existsSync(HANDLES);

/** How the system finds what is open under this number; its path where handles are no paths. */
export const wayOfHandle = (fd: number, path: string) => (hasHandles ? `${HANDLES}/${fd}` : path);

/**
 * A folder that is held open. What is in it is reached by way of the handle: whatever takes the folder's name
 * meanwhile, nobody is led elsewhere.
 */
export class OpenFolder {
  readonly path: string;
  /** How the system finds the folder itself. */
  readonly itself: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.itself = wayOfHandle(fd, path);
  }

  /**
   * The folder that a path lies in; links on the way there are followed.
   * @param within the store that it has to be in
   * @throws PmanError, `forbidden` when it is not
   */
  static above(path: string, within: string | undefined): OpenFolder {
    return OpenFolder.at(dirname(path), within, path);
  }

  /** A folder in this one. @throws PmanError also when it is a link by now */
  folder(path: string): OpenFolder {
    return OpenFolder.#open(path, this.way(path), O_RDONLY | O_NOFOLLOW, path);
  }

  /**
   * A folder itself; links on the way to it are followed.
   * @param within the store that it has to be in
   * @param said the path that an error names
   * @throws PmanError, `forbidden` when it is not in the store
   */
  static at(path: string, within: string | undefined, said = path): OpenFolder {
    const folder = OpenFolder.#open(path, path, hasHandles ? O_PATH : O_RDONLY, said);
    try {
      if (within !== undefined) folder.#checkInside(within, said);
      return folder;
    } catch (error) {
      folder.close();
      throw error;
    }
  }

  /**
   * A folder itself, in a store; a link in its place is refused, those on the way to it are followed.
   * @throws PmanError `forbidden`
   */
  static real(path: string, within: string): OpenFolder {
    const above = OpenFolder.above(path, within);
    try {
      return above.enter(path);
    } finally {
      above.close();
    }
  }

  /** A folder in this one that need not be read. @throws PmanError `forbidden` when it is no folder but a link by now */
  enter(path: string): OpenFolder {
    const flags = (hasHandles ? O_PATH : O_RDONLY) | O_NOFOLLOW | O_DIRECTORY;
    try {
      return new OpenFolder(path, openSync(this.way(path), flags));
    } catch (cause) {
      throw new PmanError('forbidden', `refused to go through ${path}: it is no folder by now`, {
        cause,
      });
    }
  }

  #again(): OpenFolder {
    const flags = hasHandles ? O_PATH : O_RDONLY;
    return new OpenFolder(this.path, openSync(this.itself, flags | O_DIRECTORY));
  }

  /** A folder below this one, none of them a link. To be closed. @throws PmanError */
  below(parts: readonly string[]): OpenFolder {
    let inner = this.#again();
    for (const part of parts) {
      const above = inner;
      try {
        inner = above.enter(join(above.path, part));
      } finally {
        above.close();
      }
    }
    return inner;
  }

  static #open(path: string, way: string, flags: number, said: string): OpenFolder {
    try {
      return new OpenFolder(path, openSync(way, flags | O_DIRECTORY));
    } catch (cause) {
      throw sourceError(said, flags & O_NOFOLLOW ? 'list' : 'look at', cause);
    }
  }

  /** How the system finds what lies in the folder under the last name of a path. */
  way(path: string): string {
    return hasHandles ? `${this.itself}/${basename(path) || '.'}` : path;
  }

  /** The same of a name in the folder. */
  wayTo(name: string): string {
    return hasHandles ? `${this.itself}/${name}` : join(this.path, name);
  }

  /** An error that names the folder by its path, where it names it by the handle. */
  said(error: unknown): unknown {
    if (!(error instanceof PmanError) || !error.message.includes(this.itself)) return error;
    const { code, message, hint } = error;
    const details = { cause: error, ...(hint === undefined ? {} : { hint }) };
    return new PmanError(code, message.replaceAll(this.itself, this.path), details);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #checkInside(within: string, path: string): void {
    const store = realpathSync.native(within);
    const real = hasHandles ? readlinkSync(this.itself) : realpathSync.native(this.path);
    // The store itself may be sent: then its folder is the one above.
    if (`${real}/`.startsWith(store === '/' ? '/' : `${store}/`) || resolve(path) === within)
      return;
    throw new PmanError('forbidden', `refused path ${JSON.stringify(path)}: it leads outside`);
  }
}
