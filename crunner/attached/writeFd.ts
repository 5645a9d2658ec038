import { write } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hasNoReader, systemErrorCode } from '../../lib/errors.ts';

const writeOnce = promisify(write);

/**
 * Writes all of it, waiting for a reader that is slow without holding up this process. Resolves to
 * false when no one reads any more; rejects with other system errors.
 */
export async function writeFd(fd: number, bytes: Uint8Array): Promise<boolean> {
  for (let from = 0; from < bytes.length; ) {
    try {
      from += (await writeOnce(fd, bytes, from)).bytesWritten;
    } catch (error) {
      if (hasNoReader(error)) return false;
      if (systemErrorCode(error) !== 'EAGAIN') throw error; // a pipe that someone made non-blocking is full
      await delay(5);
    }
  }
  return true;
}
