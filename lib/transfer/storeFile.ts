import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { diskError } from './diskError.ts';
import { FileSink } from './sink.ts';
import { openStaging } from './staging.ts';
import { utimesSeconds } from './times.ts';

export interface FileDress {
  readonly mode?: number | undefined;
  readonly mtimeNs?: bigint | undefined;
}

export interface Stored {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Stores a stream as a file: written under another name in the same folder, then renamed. When it
 * fails the old content is still there. `check` may refuse what arrived, before the rename.
 * @throws PmanError when it cannot be written; what the source or `check` fails with
 */
export async function storeFile(
  source: Readable,
  folder: string,
  name: string,
  dress: FileDress = {},
  check: (stored: Stored) => void | Promise<void> = () => {},
  onBytes?: (bytes: number) => void,
): Promise<Stored> {
  const staging = await openStaging(folder);
  const path = join(staging.path, 'file');
  const target = join(folder, name);
  let file: FileHandle | undefined;
  let sink: FileSink | undefined;
  try {
    file = await open(path, 'wx', 0o600);
    sink = new FileSink(file.fd, { onBytes });
    await pipeline(source, sink);
    const stored = { bytes: sink.bytes, sha256: sink.digest() };
    await check(stored);
    await file.chmod((dress.mode ?? 0o666 & ~process.umask()) & 0o1777);
    if (dress.mtimeNs !== undefined) {
      const seconds = utimesSeconds(dress.mtimeNs);
      await file.utimes(seconds, seconds);
    }
    await rename(path, target);
    return stored;
  } catch (error) {
    throw diskError(target, error);
  } finally {
    await sink?.settled();
    await file?.close();
    await staging.close();
  }
}
