import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Check, SHA256, startCheck } from './contentCheck.ts';
import { diskError } from './diskError.ts';
import { fileNamer, type NameFile, openNameless } from './openNameless.ts';
import { FileSink } from './sink.ts';
import { claimName, openStaging, removeAbandoned } from './staging.ts';
import { utimesSeconds } from './times.ts';

export interface FileDress {
  readonly mode?: number | undefined;
  readonly mtimeNs?: bigint | undefined;
}

export interface Stored {
  readonly bytes: number;
  /** In hexadecimal, as the check makes it. */
  readonly digest: string;
}

export interface StoreOptions {
  readonly check?: Check;
  /** May refuse what arrived, before it is put in place. */
  readonly accept?: (stored: Stored) => void | Promise<void>;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Stores a stream as a file: in a file without a name, or under another name where there are none of those, until
 * all of it is there. When it fails the old content is still there.
 * @throws PmanError when it cannot be written; what the source or `accept` fails with
 */
export async function storeFile(
  source: Readable,
  folder: string,
  name: string,
  dress: FileDress = {},
  { check = SHA256, accept, onBytes }: StoreOptions = {},
): Promise<Stored> {
  const target = join(folder, name);
  let place: Unplaced | undefined;
  let sink: FileSink | undefined;
  try {
    place = await openUnplaced(folder);
    const digester = startCheck(check);
    sink = new FileSink(place.file.fd, { onBytes, digester });
    await pipeline(source, sink);
    const stored = { bytes: sink.bytes, digest: digester.digest('hex') };
    await accept?.(stored);
    await place.file.chmod((dress.mode ?? 0o666 & ~process.umask()) & 0o1777);
    if (dress.mtimeNs !== undefined) {
      const seconds = utimesSeconds(dress.mtimeNs);
      await place.file.utimes(seconds, seconds);
    }
    await place.put(target);
    return stored;
  } catch (error) {
    throw diskError(target, error);
  } finally {
    await sink?.settled();
    await place?.close();
  }
}

/** A file that is not in its place yet. */
interface Unplaced {
  readonly file: FileHandle;
  put(target: string): Promise<void>;
  /** Removes what is left of it. */
  close(): Promise<void>;
}

async function openUnplaced(folder: string): Promise<Unplaced> {
  const nameFile = await fileNamer();
  const file = nameFile === undefined ? undefined : await openNameless(folder, { nameable: true });
  if (nameFile === undefined || file === undefined) return openStaged(folder);
  await removeAbandoned(folder);
  return {
    file,
    put: (target) => putNameless(file, nameFile, target),
    close: () => file.close(),
  };
}

/** What is there already is replaced at once: by a rename, for which the file needs a name of its own first. */
async function putNameless(file: FileHandle, nameFile: NameFile, target: string): Promise<void> {
  if (nameFile(file.fd, target)) return;
  const beside = claimName(dirname(target));
  try {
    nameFile(file.fd, beside.path);
    await rename(beside.path, target);
  } catch (error) {
    await rm(beside.path, { force: true });
    throw error;
  } finally {
    beside.release();
  }
}

async function openStaged(folder: string): Promise<Unplaced> {
  const staging = await openStaging(folder);
  const path = staging.folder.way('file');
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    await staging.close();
    throw error;
  }
  return {
    file,
    put: (target) => rename(path, target),
    async close() {
      await file.close();
      await staging.close();
    },
  };
}
