import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { type FileHandle, open, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PmanError, systemErrorCode } from '../errors.ts';
import { PARTIAL_NAME } from './names.ts';
import { BEGAN_ANEW, cannotGoOn } from './overtaken.ts';
import { idIn, idleName, isSameTransfer, isTaken, ownName } from './partialNames.ts';
import { pathError } from './pathError.ts';
import { statsOf } from './pathState.ts';
import { readHandle } from './readHandle.ts';
import { FileSink } from './sink.ts';
import { namesIn } from './staging.ts';

const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
const KEPT_MS = 7 * 24 * 3600 * 1000;
/** Those under way here, by path: how to end them. */
const busy = new Map<string, () => Promise<void>>();

/** What is kept of an interrupted transfer, beside where it is going. */
export interface Partial {
  readonly path: string;
  /** How many bytes are there. */
  readonly bytes: number;
  /** Aborts when the same transfer begins anew: then this one may not go on. */
  readonly superseded: AbortSignal;
  /**
   * Lets go of what stands behind the first `offset` bytes.
   * @throws PmanError `conflict` when there are fewer
   */
  cut(offset: number): Promise<void>;
  /** Adds bytes at the end, in place of `append`. @throws PmanError */
  write(bytes: Uint8Array): Promise<void>;
  /** Adds a stream behind the first `offset` bytes; what has arrived stays when it breaks off. */
  append(source: Readable, offset: number, onBytes?: (bytes: number) => void): Promise<void>;
  read(): Readable;
  /** Lets go of it, and removes it when it has served. */
  close(options: { readonly done: boolean }): Promise<void>;
}

/** The file of an interrupted transfer; `id` is 32 hexadecimal digits. */
export function partialPath(folder: string, id: string): string {
  return join(folder, idleName(id));
}

/** How many bytes of a transfer are there already, for whoever goes on with it. */
export function partialBytes(folder: string, id: string): number {
  return statsOf(folder)?.isDirectory() ? (keptOf(folder, id)[0]?.bytes ?? 0) : 0;
}

interface Kept {
  readonly name: string;
  readonly bytes: number;
}

/** What there is of a transfer that no other process works on, the most first. */
function keptOf(folder: string, id: string): readonly Kept[] {
  return namesIn(folder)
    .filter((name) => idIn(name) === id && !isTaken(name) && isOpenToUs(join(folder, name)))
    .map((name) => {
      const stats = statsOf(join(folder, name), lstatSync);
      return { name, bytes: stats?.isFile() ? stats.size : 0 };
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** Another user's is not: who pulled as root once would be the only one who can go on with it. */
function isOpenToUs(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Gives what is kept of a transfer the name of this process, which has it alone then. */
function takeKept(folder: string, id: string): string {
  const path = join(folder, ownName(id));
  for (const { name } of keptOf(folder, id)) {
    try {
      renameSync(join(folder, name), path);
      break;
    } catch (error) {
      // Another process was quicker, or it is another user's.
      if (!isOthers(error)) throw error;
    }
  }
  return path;
}

/**
 * Removes what earlier tries of a transfer have left, of other content too: what it brings has come, and nobody goes on
 * with them. What somebody works on stays.
 */
export function forgetTries(folder: string, id: string): void {
  try {
    const real = realpathSync.native(folder);
    for (const name of readdirSync(folder)) {
      const other = idIn(name);
      if (other === undefined || !isSameTransfer(other, id) || isTaken(name)) continue;
      if (other === id || !busy.has(partialPath(real, other)))
        rmSync(join(folder, name), { force: true });
    }
  } catch (error) {
    // What may not be listed or removed does not spoil the transfer that has come.
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function isOthers(error: unknown): boolean {
  return ['ENOENT', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '');
}

/** Lets others have what this process has worked on; of two tries that broke off the longer one stays. */
function layDown(folder: string, id: string, path: string): void {
  const idle = partialPath(folder, id);
  const bytes = statsOf(path, lstatSync)?.size ?? 0;
  if (bytes <= (statsOf(idle, lstatSync)?.size ?? 0)) rmSync(path, { force: true });
  else renameSync(path, idle);
}

/**
 * Opens what there is of a transfer, or begins it. An earlier try that still waits for its sender is
 * ended first: whoever comes back knows that it broke off. What another process works on stays with that, and this one
 * begins anew. What nobody came back for within a week is removed.
 * @throws PmanError
 */
export async function openPartial(folder: string, id: string): Promise<Partial> {
  await removeForgotten(folder);
  // The folder may be named by a handle, another one each time.
  const key = partialPath(realpathSync.native(folder), id);
  // Of several that come back at once each ends the one before it.
  for (let end = busy.get(key); end !== undefined; end = busy.get(key)) await end();
  const superseded = new AbortController();
  let closed: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const endIt = async () => {
    superseded.abort(new PmanError('conflict', BEGAN_ANEW));
    await gone;
  };
  busy.set(key, endIt);
  const release = () => {
    if (busy.get(key) === endIt) busy.delete(key);
    closed();
  };
  let path = join(folder, ownName(id));
  let file: FileHandle;
  try {
    path = takeKept(folder, id);
    // Whoever shares the folder may have put a link there.
    file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    release();
    throw pathError(folder, 'write to', cause);
  }
  const { size, nlink } = await file.stat();
  if (nlink !== 1) {
    await file.close();
    release();
    throw new PmanError('forbidden', `${path} has other names: what arrives is not kept there`);
  }
  const cut = async (offset: number) => {
    if (offset > (await file.stat()).size) {
      throw new PmanError('conflict', cannotGoOn(offset, size));
    }
    await file.truncate(offset);
  };
  let end = 0;
  return {
    path,
    bytes: size,
    superseded: superseded.signal,
    async cut(offset) {
      await cut(offset);
      end = offset;
    },
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at, end);
          at += bytesWritten;
          end += bytesWritten;
        }
      } catch (cause) {
        throw pathError(folder, 'write to', cause);
      }
    },
    async append(source, offset, onBytes = () => {}) {
      await cut(offset);
      const sink = new FileSink(file.fd, { start: offset, onBytes });
      try {
        await pipeline(source, sink, { signal: superseded.signal });
      } catch (cause) {
        superseded.signal.throwIfAborted();
        if (
          typeof cause === 'object' &&
          cause !== null &&
          'errno' in cause &&
          'syscall' in cause &&
          cause.syscall === 'write'
        ) {
          throw pathError(folder, 'write to', cause);
        }
        throw cause;
      } finally {
        await sink.settled();
      }
    },
    read: () => readHandle(file),
    async close({ done }) {
      try {
        await file.close();
        if (done) {
          await rm(path, { force: true });
          forgetTries(folder, id);
        } else layDown(folder, id, path);
      } finally {
        // Whoever comes back for it waits for this.
        release();
      }
    },
  };
}

/** What is another user's stays: it keeps nobody from writing there. */
async function removeForgotten(folder: string): Promise<void> {
  for (const name of namesIn(folder)) {
    if (!PARTIAL_NAME.test(name)) continue;
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > KEPT_MS)
      await unlink(join(folder, name)).catch(() => {});
  }
}
