import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SHA256, startCheck } from './contentCheck.ts';
import { diskError } from './diskError.ts';
import { stagingName } from './names.ts';
import { openNameless } from './openNameless.ts';
import { pathError } from './pathError.ts';
import { readHandle } from './readHandle.ts';
import { FileSink } from './sink.ts';
import type { StoreOptions } from './storeFile.ts';

/** Bytes that arrived, in a file without a name: nothing is left of it, however we end. */
export interface NamelessFile {
  readonly fd: number;
  readonly bytes: number;
  /** In hexadecimal, as the check makes it. */
  readonly digest: string;
  read(): Readable;
  close(): Promise<void>;
}

/**
 * Takes a stream up into a nameless file in a folder.
 * @throws PmanError when the folder cannot be written to; what the source fails with
 */
export async function keepNameless(
  source: Readable,
  folder: string,
  { check = SHA256, onBytes }: Pick<StoreOptions, 'check' | 'onBytes'> = {},
): Promise<NamelessFile> {
  const file = await openUnnamed(folder);
  const digester = startCheck(check);
  const sink = new FileSink(file.fd, { onBytes, digester });
  try {
    await pipeline(source, sink);
  } catch (error) {
    await sink.settled();
    await file.close();
    throw diskError(folder, error);
  }
  return {
    fd: file.fd,
    bytes: sink.bytes,
    digest: digester.digest('hex'),
    read: () => readHandle(file),
    close: () => file.close(),
  };
}

async function openUnnamed(folder: string): Promise<FileHandle> {
  const nameless = await openNameless(folder, { nameable: false });
  if (nameless !== undefined) return nameless;
  const path = join(folder, stagingName());
  try {
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (cause) {
    throw pathError(folder, 'write to', cause);
  }
}
