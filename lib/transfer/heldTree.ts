import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import type { OpenFolder } from './openFolder.ts';

/**
 * What lies below a folder that is held open. Names are relative to it, with `/`. No link is followed on the way, also
 * none that takes the place of a folder meanwhile. To be closed; the folder stays open.
 */
export class HeldTree {
  readonly #top: OpenFolder;
  /** The folders on the way to the last name that was asked for. */
  #chain: { readonly part: string; readonly folder: OpenFolder }[] = [];
  /** The last folder that could not be entered: many names may lie in it. */
  #missing: { readonly name: string; readonly error: unknown } | undefined;
  /** The folder of the last name, as long as it is open. */
  #last: { readonly name: string; readonly folder: OpenFolder } | undefined;

  constructor(top: OpenFolder) {
    this.#top = top;
  }

  /** How the system finds what has this name. @throws PmanError `forbidden` when there is a link on the way */
  way(name: string): string {
    const end = name.lastIndexOf('/');
    const above = name.slice(0, Math.max(0, end));
    // Most names lie beside the one before.
    if (this.#last?.name !== above) {
      if (this.#missing?.name === above) throw this.#missing.error;
      const folder = this.#enter(above.split('/').filter(Boolean), above);
      this.#last = { name: above, folder };
    }
    return this.#last.folder.wayTo(name.slice(end + 1));
  }

  /** How the system finds a folder itself. @throws PmanError `forbidden` when it is a link, or one is on the way */
  folder(name: string): string {
    return this.#enter(name.split('/').filter(Boolean)).itself;
  }

  /** Makes a folder, and those above it, where they are missing. @throws PmanError; the system's error */
  makeFolder(name: string): void {
    const parts = name.split('/').filter(Boolean);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const part = parts[depth - 1] ?? '';
      try {
        mkdirSync(this.#enter(parts.slice(0, depth - 1)).way(part));
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      }
    }
    this.#enter(parts);
  }

  close(): void {
    this.#last = undefined;
    this.#leave(0);
  }

  #enter(parts: readonly string[], name?: string): OpenFolder {
    this.#last = undefined;
    this.#missing = undefined;
    const differs = this.#chain.findIndex(({ part }, i) => part !== parts[i]);
    if (differs >= 0) this.#leave(differs);
    let at = this.#chain.at(-1)?.folder ?? this.#top;
    for (const part of parts.slice(this.#chain.length)) {
      try {
        at = at.enter(join(at.path, part));
      } catch (error) {
        if (name !== undefined) this.#missing = { name, error };
        throw error;
      }
      this.#chain.push({ part, folder: at });
    }
    return at;
  }

  #leave(depth: number): void {
    for (const { folder } of this.#chain.splice(depth).reverse()) folder.close();
  }
}
