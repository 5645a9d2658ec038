import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type FileVersion, Settling } from './settling.ts';

/** How often the file is looked at, where nobody tells of its changes. */
const LOOK_MS = 1000;
const SOON_MS = 10;

export interface FollowedFileOptions {
  readonly log: Logger;
  /** The file has another text, which is whole as far as can be told (see Settling). */
  readonly onText: (text: string) => void;
  /** It cannot be read. */
  readonly onFault: (error: unknown) => void;
  /** After each look, at least once in a second. */
  readonly onLook: () => void;
}

/** A text file that is read again when it has changed. */
export class FollowedFile {
  readonly #file: string;
  readonly #options: FollowedFileOptions;
  readonly #settling: Settling;
  readonly #timer: NodeJS.Timeout;
  readonly #watcher: FSWatcher | undefined;
  #soon: NodeJS.Timeout | undefined;

  /** @param text what was read of the file just now, and the version before that */
  constructor(
    file: string,
    { text, version }: { readonly text: string; readonly version: FileVersion },
    options: FollowedFileOptions,
  ) {
    this.#file = file;
    this.#options = options;
    this.#settling = new Settling(text, version);
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#watcher = this.#watch();
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#watcher?.close();
  }

  #watch(): FSWatcher | undefined {
    try {
      // Of the folder: an editor puts another file in the place of this one.
      const watcher = watch(dirname(this.#file), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(this.#file)) this.#lookIn(SOON_MS);
      });
      return watcher.on('error', () => watcher.close());
    } catch (error) {
      this.#options.log.debug(`${this.#file} is not watched`, { reason: messageOf(error) });
      return undefined;
    }
  }

  #lookIn(waitMs: number): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, waitMs).unref();
  }

  #look(): void {
    const { onText, onFault, onLook } = this.#options;
    const file = {
      version: () => versionOf(this.#file),
      read: () => readFileSync(this.#file, 'utf8'),
    };
    try {
      const seen = this.#settling.look(file, performance.now());
      if ('text' in seen) onText(seen.text);
      else if (seen.againMs !== undefined) this.#lookIn(seen.againMs);
    } catch (error) {
      onFault(error);
    }
    onLook();
  }
}

/** The version that a file has now. */
export function versionOf(file: string): FileVersion {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined) return { stamp: '', identity: '', isMoved: false };
  const { dev, ino, size, mtimeNs, ctimeNs } = stat;
  return {
    stamp: [dev, ino, size, mtimeNs, ctimeNs].join(' '),
    identity: `${dev} ${ino}`,
    isMoved: ctimeNs > mtimeNs,
  };
}
