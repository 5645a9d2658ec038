import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PmanError, systemErrorCode } from '../errors.ts';
import { FileSink } from './sink.ts';
import { openStaging } from './staging.ts';
import { utimesSeconds } from './times.ts';
import { pathError } from './tree.ts';

const READ_BYTES = 512 * 1024;

/** Bytes that arrived, in a file without a name: nothing is left of it, however we end. */
export interface Spool {
  readonly fd: number;
  readonly bytes: number;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
  read(): Readable;
  close(): Promise<void>;
}

/**
 * Takes a stream up into a nameless file in a folder.
 * @throws PmanError when the folder cannot be written to; what the source fails with
 */
export async function spool(
  source: Readable,
  folder: string,
  onBytes?: (bytes: number) => void,
): Promise<Spool> {
  const file = await openNameless(folder);
  const sink = new FileSink(file.fd, { onBytes });
  try {
    await pipeline(source, sink);
  } catch (error) {
    await sink.settled();
    await file.close();
    throw diskError(folder, error);
  }
  return spoolOf(file, sink.bytes, sink.digest());
}

export function spoolOf(file: FileHandle, bytes: number, sha256: string): Spool {
  return {
    fd: file.fd,
    bytes,
    sha256,
    // Node's stream of an open file would close its number when it fails.
    read: () => Readable.from(contentOf(file), { objectMode: false, highWaterMark: READ_BYTES }),
    close: () => file.close(),
  };
}

async function* contentOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `.pfioh-${process.pid}-${randomUUID()}.tmp`);
  try {
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (cause) {
    throw pathError(folder, 'write to', cause);
  }
}

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

const DISK_ERRORS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'EFBIG',
  'EISDIR',
  'ENOTEMPTY',
]);

function diskError(path: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === 'EISDIR' || code === 'ENOTEMPTY') {
    return new PmanError(
      'conflict',
      `${path} is a folder, and a file of that name comes in its place`,
      { cause: error },
    );
  }
  return code !== undefined && DISK_ERRORS.has(code) ? pathError(path, 'write', error) : error;
}
