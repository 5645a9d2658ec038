import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';

const READ_BYTES = 512 * 1024;

/** The content of an open file as a stream. The file stays open: Node's own stream would close it. */
export function readHandle(file: FileHandle): Readable {
  const stream = Readable.from(contentOf(file), { objectMode: false, highWaterMark: READ_BYTES });
  // Whoever reads it is told. Nobody may be reading when the file is closed before its end.
  stream.on('error', () => {});
  return stream;
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
