import { lstatSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { BadRequestError, PmanError, systemErrorCode } from '../errors.ts';
import { isOwnName, requirePossible } from '../transfer/names.ts';
import { cutText } from '../wire/cut.ts';

const DEFAULT_KEY_BASE = '/tmp';

/** Turns what clients call places into paths of this machine, none outside the store. */
export class Places {
  /** The folder that confines all paths; undefined when the whole file system is open. */
  readonly base: string | undefined;
  readonly #keyBase: string;

  constructor(storeBase: string | undefined) {
    this.base = storeBase === undefined ? undefined : resolve(storeBase);
    this.#keyBase = this.base ?? DEFAULT_KEY_BASE;
  }

  /** What `internalctl` calls storeBase. */
  get storeBase(): string {
    return this.#keyBase;
  }

  /** The path of `{path}` or `{key}`; a `/` at the end of a path is kept. `member` is where the request names it. @throws PmanError */
  resolve(
    place: { readonly path?: string | undefined; readonly key?: string | undefined } | undefined,
    member = 'meta.remote',
  ): string {
    if (place?.key !== undefined) return this.key(place.key);
    if (place?.path === '') throw new BadRequestError('refused path: it is empty');
    if (place?.path !== undefined) return this.path(place.path);
    throw new BadRequestError('the request names neither a path nor a key on this server', {
      hint: `say ${member}.path or ${member}.key`,
    });
  }

  /** The folder of a key, with a `/` at the end. @throws PmanError */
  key(key: string): string {
    if (/^\.{0,2}$/.test(key) || key.includes('/') || key.includes('\0')) {
      throw new BadRequestError(
        `refused key ${JSON.stringify(cutText(key, 200))}: a key is one name`,
      );
    }
    return this.path(`${join(this.#keyBase, `key-${key}`)}/`);
  }

  /** A path of this machine, inside the store if there is one. @throws PmanError `forbidden` */
  path(path: string): string {
    requirePossible(path);
    if (path.split('/').some(isOwnName)) {
      throw new PmanError('forbidden', `refused path ${path}: the name is reserved`);
    }
    if (this.base === undefined) return normalize(resolve(path) + (path.endsWith('/') ? '/' : ''));
    const full = normalize(isAbsolute(path) ? path : join(this.base, path));
    requirePossible(full);
    if (!isInside(full, this.base)) throw outside(path);
    const real = realOfExisting(full);
    if (!isInside(real, realOfExisting(this.base))) throw outside(path);
    return full;
  }

  /** A path below a folder that was resolved already. @throws PmanError */
  below(folder: string, subfolder: string): string {
    const full = this.path(join(folder, subfolder));
    if (!isInside(full, folder)) throw outside(subfolder);
    return full;
  }

  /**
   * A folder that the server itself makes in a place. In a store it has to be there as a folder or not at all:
   * whoever shares the place may have put a link there.
   * @throws PmanError `forbidden`
   */
  ownFolder(place: string, name: string): string {
    const folder = join(place, name);
    if (this.base === undefined) return folder;
    if (isLink(folder)) {
      throw new PmanError('forbidden', `refused to go through the symbolic link ${folder}`);
    }
    return this.path(folder);
  }

  /** A text without the place of the store: whoever asks from outside does not need to know it. */
  withoutBase(text: string): string {
    if (this.base === undefined || this.base === '/') return text;
    return text
      .replaceAll(`${this.base}/`, '')
      .split(this.base)
      .reduce((told, rest) => told + (/^[\w.-]/.test(rest) ? this.base : '.') + rest);
  }

  /** Whether symbolic links that are already there may be followed. */
  get followLinks(): boolean {
    return this.base === undefined;
  }
}

function isInside(path: string, base: string): boolean {
  const folder = base.endsWith('/') ? base : `${base}/`;
  return path === base || `${path}/` === folder || path.startsWith(folder);
}

/** Where a path leads when its links are followed; what does not exist yet is appended as it is. */
function realOfExisting(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      throw new PmanError('forbidden', `cannot follow ${path}: ${code ?? 'unknown error'}`, {
        cause: error,
      });
    }
    // A dangling link reads as missing too, and would be followed by whoever writes there.
    const above = dirname(path.replace(/\/+$/, ''));
    if (above === path) return path;
    const name = path.replace(/\/+$/, '').slice(above.length).replace(/^\//, '');
    if (isLink(join(above, name))) throw outside(path);
    return join(realOfExisting(above), name);
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}

function outside(path: string): PmanError {
  return new PmanError(
    'forbidden',
    `refused path ${JSON.stringify(path)}: it leads outside of the store`,
    {
      hint: 'this server keeps to the folder it was started with (--storeBase)',
    },
  );
}
