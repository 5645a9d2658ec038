import { existsSync, lstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../../errors.ts';
import { rememberMissing } from '../../host/madeFolders.ts';
import { takesPacks } from '../../transfer/pack/agreed.ts';
import type { FailedEntry } from '../../transfer/pack/failedEntry.ts';
import { forgetTries } from '../../transfer/partial.ts';
import { provideFolder } from '../../transfer/pathState.ts';
import { placeRuns } from '../../transfer/placeRuns.ts';
import { PurlFailure } from '../failure.ts';
import { pullId } from '../pull/keptPull.ts';
import { receivePull } from '../pull/receivePull.ts';
import { checkRemote, type Remote } from '../remoteCheck.ts';
import { askDigests, askTree, type RemoteEntry, type RemoteTree } from './askPfioh.ts';
import { changedHere, type Since } from './changedHere.ts';
import { CLASH, checkWhole } from './checkWhole.ts';
import { FilesDone } from './filesDone.ts';
import { type FolderWay, folderMessage, folderOptions } from './folderWay.ts';
import { PACK_PIECE, PIECE, piecesOf } from './pullPieces.ts';
import { sameFiles } from './sameFiles.ts';
import type { TransferSummary } from './transferLine.ts';
import { pause, untilDone } from './untilDone.ts';

export interface FolderPull {
  /** The folder that takes the content; it is made. */
  readonly local: string;
  /** A folder, or a file. */
  readonly path: string;
  /** What is wanted, by its name below the folder; default: all. */
  readonly wanted?: Wanted | undefined;
  /** What has changed here since then is not overwritten; default: it is. */
  readonly since?: Since | undefined;
}

export type Wanted = (name: string, kind: RemoteEntry['kind']) => boolean;

/** How often a folder may change while it is pulled. */
const MOST_CHANGES = 5;
/** It is listed again at once, and then after pauses that double. */
const FIRST_PAUSE_MS = 200;
/** By these codes files are told that may come with the next try. */
const PASSING_CODES: ReadonlySet<string> = new Set(['conflict', 'not_found']);

/**
 * Brings the content of a folder of a pfioh, or a file, into a folder here: what is not here yet. It comes in pieces of a
 * few files, each as a whole or not at all. After a lost connection it goes on, and so does the same pull that is given
 * again.
 * @throws PurlFailure, PmanError
 */
export async function pullFolder(pull: FolderPull, way: FolderWay): Promise<TransferSummary> {
  // A pull that is refused leaves no folder; with something kept in it to go on from it stays.
  const removeMade = rememberMissing({ folders: [resolve(pull.local)], files: [] });
  try {
    provideLocal(pull.local);
    return await bring(pull, way);
  } catch (error) {
    removeMade();
    throw error;
  }
}

async function bring(pull: FolderPull, way: FolderWay): Promise<TransferSummary> {
  const { local, path } = pull;
  const startedMs = performance.now();
  const moved = { files: 0, bytes: 0, alreadyThere: 0 };
  let changes = 0;
  let isWhole = false;
  await untilDone(way, async (kept) => {
    while (!isWhole) {
      const remote = await reachPlace(local, path, way);
      kept(moved.bytes);
      if (remote.peer.kind === 'own') way.onReached?.();
      if (remote.peer.kind !== 'own') {
        await pullAll(local, path, remote, way, moved);
        isWhole = true;
        break;
      }
      try {
        await pullLacking({ ...pull, kept, changes }, remote, way, moved);
        isWhole = true;
      } catch (error) {
        changes += 1;
        const hasChanged = error instanceof PurlFailure && error.kind === 'changed';
        if (!hasChanged || changes > MOST_CHANGES) throw error;
        if (changes > 1) await pause(FIRST_PAUSE_MS * 2 ** (changes - 2), way.signal);
      }
    }
  });
  way.show.end();
  return { ...moved, seconds: (performance.now() - startedMs) / 1000 };
}

function provideLocal(path: string): void {
  try {
    provideFolder(path);
  } catch (cause) {
    throw new PurlFailure('localWrite', messageOf(cause), { cause });
  }
}

/** Whether a pfioh has a file or folder. @throws PurlFailure */
export async function isThere(path: string, way: FolderWay): Promise<boolean> {
  const remote = await checkRemote(folderMessage('pull', '/', path), folderOptions(way));
  if (!('failure' in remote)) return true;
  if (remote.failure.kind !== 'wrongPath') throw remote.failure;
  return false;
}

async function reachPlace(local: string, path: string, way: FolderWay): Promise<Remote> {
  const remote = await checkRemote(folderMessage('pull', local, path), folderOptions(way));
  if (!('failure' in remote)) return remote;
  const { failure } = remote;
  if (failure.kind !== 'wrongPath') throw failure;
  throw new PurlFailure('wrongPath', `${way.url.host} has no file or folder ${path}`);
}

interface Moved {
  files: number;
  bytes: number;
  alreadyThere: number;
}

/** From a Python pfioh: all of it in one go. How much that is, it does not say. */
async function pullAll(
  local: string,
  path: string,
  remote: Remote,
  way: FolderWay,
  moved: Moved,
): Promise<void> {
  const options = folderOptions(way);
  let bytes = 0;
  const progress = {
    start() {},
    stop() {},
    add(more: number) {
      bytes += more;
      way.show.at({ bytes, files: 0 });
    },
  };
  const isPfurl = remote.peer.kind !== 'python1';
  await receivePull(folderMessage('pull', local, path), remote, { ...options, isPfurl, progress });
  moved.bytes = bytes;
}

/** `kept` hears how much is here already. */
interface LackingPull extends FolderPull {
  readonly kept: (bytes: number) => void;
  /** How often it has changed so far. */
  readonly changes: number;
}

interface LackingOf {
  readonly local: string;
  readonly path: string;
  readonly isWanted: Wanted;
}

async function pullLacking(
  { local, path, wanted, since, kept, changes }: LackingPull,
  remote: Remote,
  way: FolderWay,
  moved: Moved,
): Promise<void> {
  const tree = await askTree(remote.peer, path, { leavesOut: true });
  const isWanted: Wanted = (name, kind) => wanted?.(name, kind) ?? true;
  const lacks = await lackingOf({ local, path, isWanted }, tree, remote);
  const place = { local, path, peer: remote.peer };
  const verdicts = since && (await changedHere(place, lacks, since));
  const comes = lacks.filter(({ name }) => (verdicts?.get(name) ?? 'comes') === 'comes');
  const clashes = lacks.filter(({ name }) => verdicts?.get(name) === 'clash');
  const most = takesPacks(remote.peer.archives) ? PACK_PIECE : PIECE;
  const pieces = piecesOf(tree, new Set(comes), most);
  const sizes = pieces.flatMap((piece) => piece.sizes);
  // In an earlier try some have come.
  moved.alreadyThere = tree.entries.filter(
    ({ kind, name }) => kind === 'file' && isWanted(name, kind),
  ).length;
  moved.alreadyThere -= sizes.length + moved.files;
  const total = sizes.reduce((sum, size) => sum + size, moved.bytes);
  const before = { ...moved };
  way.show.begin({ files: sizes.length + before.files, bytes: total });
  const count = new FilesDone(sizes);
  const say = (bytes: number) =>
    way.show.at({ bytes: before.bytes + bytes, files: before.files + count.at(bytes) });
  let done = 0;
  let packed = 0;
  const failed: FailedEntry[] = [];
  const { tag } = tree;
  // What changes all the time is not waited for: whatever comes of it is whole, and the rest comes too.
  const isLive = changes > 0 && tree.shape !== undefined;
  const from = tree.kind === 'folder' ? `${path.replace(/\/+$/, '')}/` : path;
  for (const piece of pieces) {
    let arrived = 0;
    const progress = {
      start(_total: number | undefined, already = 0) {
        arrived = already;
        kept(moved.bytes + already);
      },
      stop() {},
      add(more: number) {
        arrived += more;
        // What comes is packed: those before tell how much.
        const ratio = packed > 0 ? Math.max(1, done / packed) : 1;
        say(done + Math.min(piece.bytes, arrived * ratio));
      },
    };
    const places = placeRuns(piece.places);
    const only = { tag, places, ...(isLive && { shape: tree.shape }), goesOn: true } as const;
    const lost: FailedEntry[] = [];
    const onFailed = (entry: FailedEntry) => lost.push(entry);
    const options = { ...folderOptions(way), resume: !isLive, progress, onFailed };
    await receivePull(folderMessage('pull', local, from, only), remote, options);
    packed += arrived;
    done += piece.bytes;
    moved.files += piece.sizes.length - lost.length;
    moved.bytes += piece.bytes - bytesOf(tree, lost);
    failed.push(...lost);
    say(done);
  }
  const passing = failed.find(({ code }) => PASSING_CODES.has(code));
  if (passing !== undefined && changes < MOST_CHANGES)
    throw new PurlFailure('changed', `${passing.name}: ${passing.why}`);
  // Of what has changed since an earlier try nothing may be lacking any more.
  forgetTries(local, pullId(folderMessage('pull', local, from), remote.peer, []));
  const lacking = [...tree.leftOut].filter(
    ([name]) => name.endsWith('/') || isWanted(name, 'file'),
  );
  checkWhole([
    ...clashes.map(({ name }) => [name, CLASH] as const),
    ...failed.map(({ name, why }) => [name, why] as const),
    ...lacking,
  ]);
}

/** How large those were when they were listed that have not come. */
function bytesOf({ entries }: RemoteTree, lost: readonly FailedEntry[]): number {
  const names = new Set(lost.map(({ name }) => name));
  const sizes = names.size === 0 ? [] : entries.filter(({ name }) => names.has(name));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

/** The files that are wanted and not here, and all folders and links that are wanted. */
async function lackingOf(
  { local, path, isWanted }: LackingOf,
  { kind, entries }: RemoteTree,
  { peer }: Remote,
): Promise<readonly RemoteEntry[]> {
  const all = entries.filter((entry) => isWanted(entry.name, entry.kind));
  const files = all.filter((entry) => entry.kind === 'file');
  const sizeHere = sizesBelow(local);
  const likely = files.filter(({ name, size }) => sizeHere(name) === size);
  const above = kind === 'folder' ? path : path.replace(/[^/]+\/*$/, '') || '.';
  const same = await sameFiles(local, likely, askDigests(peer, above, likely), peer.signal);
  return all.filter((entry) => entry.kind !== 'file' || !same.has(entry.name));
}

/** Tells how large a file below a folder is; undefined when there is none. In a folder that is missing nobody looks twice. */
function sizesBelow(top: string): (name: string) => number | undefined {
  const folders = new Map<string, boolean>();
  return (name) => {
    const path = join(top, name);
    const folder = dirname(path);
    const isThere = folders.get(folder) ?? existsSync(folder);
    folders.set(folder, isThere);
    if (!isThere) return undefined;
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats?.isFile() ? stats.size : undefined;
    } catch {
      return undefined;
    }
  };
}
