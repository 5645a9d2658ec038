import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';

const READ_BYTES = 512 * 1024;

/** The content of an open file as a stream. The file stays open: Node's own stream would close it. */
export function readHandle(file: FileHandle): Readable {
  return Readable.from(contentOf(file), { objectMode: false, highWaterMark: READ_BYTES });
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
