import { chunkBits } from '../../transfer/chunker.ts';
import { takesPatches } from '../../transfer/pack/agreed.ts';
import { findPatch, type Patch } from '../../transfer/pack/patch.ts';
import type { SendPlan } from '../../transfer/send.ts';
import type { Peer } from '../peer.ts';
import { askChunks } from './askPfioh.ts';

/** Smaller files are sent sooner than their chunks are compared. */
const LEAST_BYTES = 8 * 1024 * 1024;
/** Less than this share is not worth the trouble. */
const LEAST_SHARE = 0.1;

/**
 * Finds out what the other side has of large files that are to be sent, from older versions of them.
 * @throws PurlFailure; SourceError when one changes meanwhile
 */
export async function findPatches(
  plan: SendPlan,
  path: string,
  peer: Peer,
): Promise<ReadonlyMap<string, Patch>> {
  const patches = new Map<string, Patch>();
  if (!takesPatches(peer.archives)) return patches;
  for await (const entry of plan.entries()) {
    if (entry.kind !== 'file' || entry.size < LEAST_BYTES) continue;
    const bits = chunkBits(entry.size);
    const there = await askChunks(peer, path, entry.name, bits);
    if (there === undefined) continue;
    const patch = await findPatch(entry, bits, there);
    if (patch.copied >= entry.size * LEAST_SHARE) patches.set(entry.name, patch);
  }
  return patches;
}
