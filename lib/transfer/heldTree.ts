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

  constructor(top: OpenFolder) {
    this.#top = top;
  }

  /** How the system finds what has this name. @throws PmanError `forbidden` when there is a link on the way */
  way(name: string): string {
    const parts = name.split('/');
    const last = parts.pop() ?? '';
    return this.#enter(parts).way(last);
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
    this.#leave(0);
  }

  #enter(parts: readonly string[]): OpenFolder {
    const differs = this.#chain.findIndex(({ part }, i) => part !== parts[i]);
    if (differs >= 0) this.#leave(differs);
    let at = this.#chain.at(-1)?.folder ?? this.#top;
    for (const part of parts.slice(this.#chain.length)) {
      at = at.enter(join(at.path, part));
      this.#chain.push({ part, folder: at });
    }
    return at;
  }

  #leave(depth: number): void {
    for (const { folder } of this.#chain.splice(depth).reverse()) folder.close();
  }
}
