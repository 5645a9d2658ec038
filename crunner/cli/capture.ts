import { fstatSync, openSync, read, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, PmanError } from '../../lib/errors.ts';
import { writeFd } from '../attached/writeFd.ts';

const readFd = promisify(read);
const CHUNK_BYTES = 1024 * 1024;

/** A stretch of what was captured, in bytes. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * A place on disk for the output of jobs: a temporary file without a name, so that nothing is left
 * behind however this process ends. Jobs write to `fd`, one after the other; it is read by position.
 */
export class Capture {
  readonly fd: number;

  /** @throws PmanError when there is no place for temporary files */
  constructor() {
    const path = join(tmpdir(), `crunner-${crypto.randomUUID()}`);
    try {
      this.fd = openSync(path, 'wx+', 0o600);
      rmSync(path);
    } catch (error) {
      throw new PmanError('storage', `no place to keep the output in: ${messageOf(error)}`, {
        hint: 'name a folder for temporary files with TMPDIR',
      });
    }
  }

  /** How many bytes there are now. */
  size(): number {
    return fstatSync(this.fd).size;
  }

  /** Writes a stretch to a file descriptor, as long as someone reads it. */
  async copyTo(fd: number, stretch: Stretch): Promise<void> {
    for await (const bytes of this.read(stretch)) {
      if (!(await writeFd(fd, bytes))) return;
    }
  }

  /** A stretch, in pieces that are valid only until the next one is asked for. */
  async *read({ from, to }: Stretch): AsyncGenerator<Uint8Array, void, void> {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - from));
    for (let at = from; at < to; ) {
      const { bytesRead } = await readFd(this.fd, buffer, 0, Math.min(buffer.length, to - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** The same as text, with the line ends of Windows as `\n`. */
  async *text(stretch: Stretch): AsyncGenerator<string, void, void> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let held = '';
    for await (const bytes of this.read(stretch)) {
      const text = held + decoder.decode(bytes, { stream: true });
      held = text.endsWith('\r') ? '\r' : '';
      yield text.slice(0, text.length - held.length).replaceAll('\r\n', '\n');
    }
    yield (held + decoder.decode()).replaceAll('\r\n', '\n');
  }
}
