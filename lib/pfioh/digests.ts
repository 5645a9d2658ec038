import { z } from 'zod';
import { isOthersTurn, turn } from '../concurrency/turns.ts';
import { BadRequestError, PmanError, systemErrorCode } from '../errors.ts';
import { digestIn } from '../transfer/digestIn.ts';
import { HeldTree } from '../transfer/heldTree.ts';
import { KnownDigests } from '../transfer/knownDigests.ts';
import { entryParts } from '../transfer/names.ts';
import { OpenFolder } from '../transfer/openFolder.ts';
import type { JsonObject } from './answer.ts';
import { placeIn } from './messagePlace.ts';
import type { Places } from './places.ts';

/** How many files one message may ask about. */
const MOST_FILES = 2000;

/** Of what this process has been asked about. */
const known = new KnownDigests();

const filesSchema = z.looseObject({
  files: z.array(z.tuple([z.string().min(1), z.int().min(0)])).max(MOST_FILES),
});

/**
 * `digests`: for each name and size below a folder the SHA-256 and the permission bits of the file that is there; null
 * where there is no file of that size, also where only a link is.
 * @throws PmanError for names that leave the folder
 */
export async function digests(
  meta: unknown,
  places: Places,
  signal: AbortSignal,
): Promise<JsonObject> {
  const folder = placeIn(meta, places);
  const { data } = filesSchema.safeParse(meta);
  if (data === undefined) {
    throw new BadRequestError(
      `digests wants meta.files: at most ${MOST_FILES} of [name below the folder, size]`,
    );
  }
  const asked = data.files.map(([name, size]) => ({ name: entryParts(name).join('/'), size }));
  const held = heldOrMissing(folder, places);
  const found: (readonly [string, number] | null)[] = [];
  const tree = held === undefined ? undefined : new HeldTree(held);
  try {
    for (const { name, size } of asked) {
      if (isOthersTurn()) await turn();
      signal.throwIfAborted();
      const there = tree === undefined ? undefined : await digestIn(tree, name, size, known);
      found.push(there === undefined ? null : [there.sha256, there.mode]);
    }
  } finally {
    tree?.close();
    held?.close();
  }
  return { status: true, found };
}

/** A folder that is held open; undefined when there is none. @throws PmanError */
export function heldOrMissing(folder: string, { base }: Places): OpenFolder | undefined {
  try {
    return OpenFolder.at(folder, base);
  } catch (error) {
    const code = systemErrorCode(error instanceof PmanError ? error.cause : error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
