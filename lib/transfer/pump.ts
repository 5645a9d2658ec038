import type { Writable } from 'node:stream';
import { BufferRing } from './bufferRing.ts';
import type { Digester } from './contentCheck.ts';
import { SteadyFile } from './steadyFile.ts';
import type { TreeEntry } from './tree.ts';

export interface PumpOptions {
  /** Takes in the whole file, what is left out too. */
  readonly digester: Digester;
  /** How many bytes at the start are not sent. */
  readonly skip: number;
  readonly onBytes: ((bytes: number) => void) | undefined;
}

/**
 * Sends a file into a stream, which stays open, through a few buffers that are used again and again: a
 * new one for each read is megabytes of garbage a millisecond, and collecting it took longer than
 * sending. Resolves to the number of bytes of the file.
 * @throws SourceError when the file cannot be read, is not what the walk found or changes; what the stream fails with
 */
export async function pumpFile(
  entry: TreeEntry,
  out: Writable,
  { digester, skip, onBytes }: PumpOptions,
): Promise<number> {
  const buffers = new BufferRing(out);
  const file = new SteadyFile(entry);
  let at = 0;
  try {
    file.checkAsFound(entry);
    for (let coming = readInto(file, buffers, 0); ; ) {
      const { buffer, bytes } = await coming;
      if (bytes === 0) break;
      at += bytes;
      coming = readInto(file, buffers, at);
      // Waited for above; until then a failure is nobody's.
      coming.catch(() => {});
      const whole = buffer.subarray(0, bytes);
      digester.update(whole);
      const left = Math.min(bytes, Math.max(0, skip - (at - bytes)));
      if (left === bytes) buffers.give(buffer);
      else buffers.send(whole.subarray(left), buffer);
      onBytes?.(bytes - left);
    }
    file.checkUnchanged();
    await buffers.allSent(1);
    return at;
  } finally {
    buffers.close();
    await file.close();
  }
}

async function readInto(file: SteadyFile, buffers: BufferRing, at: number) {
  const buffer = await buffers.take();
  return { buffer, bytes: await file.read(buffer, at) };
}
