import { closeSync, constants, fstatSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { BadRequestError, PmanError, systemErrorCode } from '../errors.ts';
import { type Chunk, Chunker, isChunkBits } from '../transfer/chunker.ts';
import { HeldTree } from '../transfer/heldTree.ts';
import { entryParts } from '../transfer/names.ts';
import type { JsonObject } from './answer.ts';
import { heldOrMissing } from './digests.ts';
import { placeIn } from './messagePlace.ts';
import type { Places } from './places.ts';

const readAsync = promisify(read);
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const READ_BYTES = 256 * 1024;
/** A file of more is not told of: whoever asks has one of another size in mind. */
const MOST_CHUNKS = 65_536;

const fileSchema = z.looseObject({
  file: z.string().min(1),
  bits: z.int().refine(isChunkBits),
});

/**
 * `chunks`: how a file below a folder is cut into chunks, and the sum of each; null where there is no such file, also
 * where only a link is, and where it would be too many.
 * @throws PmanError for a name that leaves the folder
 */
export async function chunks(
  meta: unknown,
  places: Places,
  signal: AbortSignal,
): Promise<JsonObject> {
  const folder = placeIn(meta, places);
  const { data } = fileSchema.safeParse(meta);
  if (data === undefined) {
    throw new BadRequestError(
      'chunks wants meta.file, a name below the folder, and meta.bits, from 16 to 26',
    );
  }
  const name = entryParts(data.file).join('/');
  const held = heldOrMissing(folder, places);
  if (held === undefined) return { status: true, chunks: null };
  const tree = new HeldTree(held);
  try {
    const fd = opened(tree, name);
    return { status: true, chunks: fd === undefined ? null : await cut(fd, data.bits, signal) };
  } finally {
    tree.close();
    held.close();
  }
}

function opened(tree: HeldTree, name: string): number | undefined {
  try {
    return openSync(tree.way(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (error instanceof PmanError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

async function cut(fd: number, bits: number, signal: AbortSignal): Promise<Chunk[] | null> {
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > MOST_CHUNKS * 2 ** bits) return null;
    const all: Chunk[] = [];
    const chunker = new Chunker(bits, (chunk) => all.push(chunk));
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    // As far as it went when it was opened: it may grow as fast as it is read.
    for (let at = 0; at < stats.size; ) {
      signal.throwIfAborted();
      if (isOthersTurn()) await turn();
      const { bytesRead } = await readAsync(fd, buffer, 0, READ_BYTES, at);
      if (bytesRead === 0) break;
      chunker.take(buffer.subarray(0, bytesRead));
      at += bytesRead;
      if (all.length > MOST_CHUNKS) return null;
    }
    chunker.end();
    return all;
  } finally {
    closeSync(fd);
  }
}
