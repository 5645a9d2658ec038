import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { PurlFailure } from '../failure.ts';
import type { Peer } from '../peer.ts';
import { askDigests, type Found, type RemoteEntry, type SizedFile } from './askPfioh.ts';
import { sameFiles } from './sameFiles.ts';

/** Since when what has changed here is not to be overwritten. */
export interface Since {
  /** In milliseconds since 1970. */
  readonly ms: number;
  /** Where on the other side lies what was here then; undefined: it was never brought there. */
  readonly origin: string | undefined;
  /** What has been found of each: what a try has brought that was broken off has changed here by that alone. */
  readonly found: Map<string, Verdict>;
}

/** To be brought; the one here stays; both have changed. */
type Verdict = 'comes' | 'stays' | 'clash';

interface Place {
  readonly local: string;
  readonly path: string;
  readonly peer: Peer;
}

/**
 * Finds out what becomes of each of these that could be brought, where something here has changed meanwhile: what has not
 * changed on the other side is not brought over it, and neither is what has changed on both.
 */
export async function changedHere(
  place: Place,
  entries: readonly RemoteEntry[],
  since: Since,
): Promise<ReadonlyMap<string, Verdict>> {
  const { found } = since;
  const changed: { entry: RemoteEntry; stats: Stats }[] = [];
  for (const entry of entries) {
    if (entry.kind === 'folder' || found.has(entry.name)) continue;
    const stats = statsHere(join(place.local, entry.name));
    // The time of the last change of any kind: it cannot be set back.
    if (stats === undefined || stats.ctimeMs < since.ms) found.set(entry.name, 'comes');
    else changed.push({ entry, stats });
  }
  const files = changed.filter(({ entry, stats }) => entry.kind === 'file' && stats.isFile());
  const { asItWas, untouched } = await compare(place, files, since.origin);
  for (const { entry } of changed) {
    const { name } = entry;
    found.set(name, asItWas.has(name) ? 'comes' : untouched.has(name) ? 'stays' : 'clash');
  }
  return found;
}

function statsHere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a file stands where its folder would be
  }
}

/** Which files are here as they were then, and which are there as they were then. */
async function compare(
  { local, path, peer }: Place,
  files: readonly { readonly entry: RemoteEntry; readonly stats: Stats }[],
  origin: string | undefined,
) {
  const nothing: ReadonlySet<string> = new Set();
  if (files.length === 0 || origin === undefined) return { asItWas: nothing, untouched: nothing };
  try {
    const here = files.map(({ entry: { name }, stats: { size, mode } }) => ({ name, size, mode }));
    const asItWas = await sameFiles(local, here, askDigests(peer, origin, here), peer.signal);
    const there = files.map(({ entry }) => entry).filter(({ name }) => !asItWas.has(name));
    const then = await digestsOf(peer, origin, there);
    const now = await digestsOf(peer, path, there);
    const untouched = there.filter(({ name }) => isSame(then.get(name), now.get(name)));
    return { asItWas, untouched: new Set(untouched.map(({ name }) => name)) };
  } catch (error) {
    // The same folder is brought again just now, or what was brought is gone: nobody can tell.
    const isUnknown = error instanceof PurlFailure && ['changed', 'transfer'].includes(error.kind);
    if (!isUnknown) throw error;
    return { asItWas: nothing, untouched: nothing };
  }
}

async function digestsOf(peer: Peer, path: string, files: readonly SizedFile[]) {
  const digests = new Map<string, Found>();
  for await (const { file, found } of askDigests(peer, path, files)) digests.set(file.name, found);
  return digests;
}

const isSame = (a: Found, b: Found) =>
  a !== undefined && a.sha256 === b?.sha256 && a.mode === b.mode;
