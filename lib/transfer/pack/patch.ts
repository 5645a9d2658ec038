import { createHash } from 'node:crypto';
import { type Chunk, Chunker } from '../chunker.ts';
import { SteadyFile } from '../steadyFile.ts';
import type { TreeEntry } from '../tree.ts';

/** A part of a file: bytes of this file, or bytes that the other one has. */
export interface Part {
  readonly kind: 'own' | 'copied';
  /** Where they stand in the file that they are taken from. */
  readonly from: number;
  readonly bytes: number;
}

/** How a file is made from another one. */
export interface Patch {
  readonly parts: readonly Part[];
  /** The SHA-256 of all of it. */
  readonly sum: Buffer;
  /** How many bytes need not be sent. */
  readonly copied: number;
}

/** The longest part: it has to fit into 31 bits. */
const MOST_BYTES = 1024 ** 3;
const READ_BYTES = 256 * 1024;

/**
 * Finds out what of a file another one has.
 * @param bits how both have been cut
 * @throws SourceError when it is not what the walk has found, or changes meanwhile
 */
export async function findPatch(
  entry: TreeEntry,
  bits: number,
  there: readonly Chunk[],
): Promise<Patch> {
  const places = placesOf(there);
  const parts: Part[] = [];
  const sum = createHash('sha256');
  let at = 0;
  const chunker = new Chunker(bits, ([bytes, name]) => {
    const from = places.get(`${bytes} ${name}`);
    addPart(parts, { kind: from === undefined ? 'own' : 'copied', from: from ?? at, bytes });
    at += bytes;
  });
  const file = new SteadyFile(entry);
  try {
    file.checkAsFound(entry);
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (let readAt = 0; ; ) {
      const bytes = await file.read(buffer, readAt);
      if (bytes === 0) break;
      const content = buffer.subarray(0, bytes);
      sum.update(content);
      chunker.take(content);
      readAt += bytes;
    }
    chunker.end();
    file.checkUnchanged();
  } finally {
    await file.close();
  }
  const copied = parts.reduce((all, { kind, bytes }) => all + (kind === 'copied' ? bytes : 0), 0);
  return { parts, sum: sum.digest(), copied };
}

/** Where in a file each of its chunks begins. */
function placesOf(chunks: readonly Chunk[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let at = 0;
  for (const [bytes, name] of chunks) {
    const key = `${bytes} ${name}`;
    if (!places.has(key)) places.set(key, at);
    at += bytes;
  }
  return places;
}

/** Parts that follow each other in the file that they are taken from are one. */
function addPart(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  const isNext = last?.kind === part.kind && last.from + last.bytes === part.from;
  if (last === undefined || !isNext || last.bytes + part.bytes > MOST_BYTES) parts.push(part);
  else parts[parts.length - 1] = { ...last, bytes: last.bytes + part.bytes };
}
