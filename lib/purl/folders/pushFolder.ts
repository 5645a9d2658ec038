import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isOvertaken } from '../../transfer/overtaken.ts';
import { planSending, type SendPlan } from '../../transfer/send.ts';
import type { TreeEntry } from '../../transfer/tree.ts';
import { PurlFailure } from '../failure.ts';
import type { Peer } from '../peer.ts';
import { archiveOfPush, pushId } from '../push/pushPlan.ts';
import { sendPlan } from '../push/sendPush.ts';
import { arrivedBytes, checkRemote, type Remote } from '../remoteCheck.ts';
import type { TransferMessage } from '../transferMessage.ts';
import { askDigests, askRemoval, askTree } from './askPfioh.ts';
import { FilesDone } from './filesDone.ts';
import { findPatches } from './findPatches.ts';
import { type FolderWay, folderMessage, folderOptions } from './folderWay.ts';
import { sameFiles } from './sameFiles.ts';
import type { TransferSummary } from './transferLine.ts';
import { pause, untilDone } from './untilDone.ts';

export interface FolderPush {
  /** A folder, whose content goes to the place; or a file, which goes into the place. */
  readonly local: string;
  readonly path: string;
  /** Removes at the place what is not here. */
  readonly mirror?: boolean;
}

/** How often a push goes on that another one of the same content has overtaken, and the first pause before it does. */
const MOST_OVERTAKEN = 6;
const OVERTAKEN_MS = 500;

/**
 * Brings the content of a folder, or a file, into a folder of a pfioh: what is not there yet. After a lost connection it
 * goes on; what has arrived of a push that was ended is kept, and the same push goes on from there.
 * @throws PurlFailure, PmanError; nothing has changed there then
 */
export async function pushFolder(
  { local, path, mirror = false }: FolderPush,
  way: FolderWay,
): Promise<TransferSummary> {
  const startedMs = performance.now();
  const real = realPathOf(local);
  const message = folderMessage('push', real, path);
  // First: what cannot be sent makes no folder there.
  let whole = await planSending(real, WHOLE);
  let todo: Todo | undefined;
  let bytes = 0;
  let isFirst = true;
  const attempt = async (kept: (bytes: number) => void) => {
    const remote = await reachPlace(message, path, way);
    kept(0);
    if (remote.peer.kind === 'own') way.onReached?.();
    const now = isFirst ? whole : await planSending(real, WHOLE);
    isFirst = false;
    // What was found out before the connection was lost still holds, unless something has changed here meanwhile: what
    // has arrived is the beginning of something else then.
    if (now.treeTag !== whole.treeTag) todo = undefined;
    whole = now;
    todo ??= await findTodo({ whole, local: real, path, mirror }, remote);
    if (todo.isDone) return;
    try {
      bytes = await sendTodo({ message, todo, remote, kept }, way);
    } catch (error) {
      const hasChanged = error instanceof PurlFailure && error.kind === 'changed';
      if (!hasChanged || !todo.plan.patches?.size) throw error;
      // A file there is another one by now: all of it is sent.
      todo = { ...todo, plan: { ...todo.plan, patches: new Map() } };
      bytes = await sendTodo({ message, todo, remote, kept }, way);
    }
  };
  for (let tries = 0; ; tries += 1) {
    try {
      await untilDone(way, attempt);
      break;
    } catch (error) {
      const isBehind = error instanceof PurlFailure && isOvertaken(error.message);
      if (!isBehind || tries === MOST_OVERTAKEN) throw error;
      // Somebody pushes the same: by then it may all be there. Two who come back at once would end each other again.
      await pause(OVERTAKEN_MS * 2 ** tries * (0.5 + Math.random()), way.signal);
      todo = undefined;
    }
  }
  way.show.end();
  return {
    files: todo?.sizes.length ?? 0,
    bytes,
    seconds: (performance.now() - startedMs) / 1000,
    alreadyThere: todo?.alreadyThere ?? 0,
  };
}

interface Sent {
  readonly message: TransferMessage;
  readonly todo: Todo;
  readonly remote: Remote;
  /** Hears how much is there already. */
  readonly kept: (bytes: number) => void;
}

/** Gives how many bytes the files had that were sent: some say less of themselves. */
async function sendTodo({ message, todo, remote, kept }: Sent, way: FolderWay): Promise<number> {
  const { plan, sizes } = todo;
  const { peer } = remote;
  const fileMode = peer.kind !== 'python1';
  const archive = archiveOfPush(message, plan, peer, fileMode);
  const id = pushId(message, plan, archive);
  const offset = peer.kind === 'own' ? await arrivedBytes(message, way, id) : undefined;
  kept(offset ?? 0);
  const done = new FilesDone(sizes);
  let bytes = 0;
  way.show.begin({ files: sizes.length, bytes: plan.workBytes });
  const progress = {
    start() {},
    stop() {},
    add(more: number) {
      bytes += more;
      way.show.at({ bytes, files: done.at(bytes) });
    },
  };
  const options = { progress, raw: true, jsonwrapper: '' };
  await sendPlan(message, plan, peer, { offset, archive, fileMode, options });
  // A Python pfioh is sent an archive: its bytes were counted.
  return peer.kind === 'own' ? bytes : plan.workBytes;
}

function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (cause) {
    // What stands behind /dev/fd has no path of its own, and may be there all the same.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) {
      const why = `${path} is neither a file nor a folder nor a link: it cannot be sent`;
      throw new PurlFailure('localRead', why, { cause });
    }
    throw new PurlFailure('wrongPath', `${path}: no such file or folder`, { cause });
  }
}

/** Makes a folder there, and those above it. @throws PurlFailure */
export async function providePlace(path: string, way: FolderWay): Promise<void> {
  await reachPlace(folderMessage('push', '/', path), path, way);
}

async function reachPlace(
  message: ReturnType<typeof folderMessage>,
  path: string,
  way: FolderWay,
): Promise<Remote> {
  const remote = await checkRemote(message, folderOptions(way));
  if (!('failure' in remote)) return remote;
  const { failure } = remote;
  if (failure.kind !== 'wrongPath') throw failure;
  throw new PurlFailure(
    'wrongPath',
    `${way.url.host} has no folder ${path}, and may not make one (its pfioh wants --createDirsAsNeeded)`,
  );
}

/** What is to be sent. */
interface Todo {
  readonly plan: SendPlan;
  /** Of the files in it, in the order in which they go. */
  readonly sizes: readonly number[];
  readonly alreadyThere: number;
  readonly isDone: boolean;
}

const WHOLE = { archive: true, encoding: 'none', contentOnly: true } as const;

interface WholePush extends Required<FolderPush> {
  readonly whole: SendPlan;
}

async function findTodo(
  { whole, local, path, mirror }: WholePush,
  { peer }: Remote,
): Promise<Todo> {
  if (peer.kind !== 'own') return todoOf(whole, 0);
  if (mirror) await removeOthers(whole, path, peer);
  const files = await filesIn(whole);
  const top = whole.root.kind === 'folder' ? local : dirname(local);
  const same = await sameFiles(top, files, askDigests(peer, path, files), peer.signal);
  const chosen = ({ kind, name }: TreeEntry) => kind !== 'file' || !same.has(name);
  const plan = same.size === 0 ? whole : await planSending(local, { ...WHOLE, chosen });
  const patches = await findPatches(plan, path, peer);
  return todoOf({ ...plan, patches }, same.size);
}

async function todoOf(plan: SendPlan, alreadyThere: number): Promise<Todo> {
  const sizes = (await filesIn(plan)).map(({ size }) => size);
  let isDone = alreadyThere > 0;
  for await (const _ of plan.entries()) {
    isDone = false;
    break;
  }
  return { plan, sizes, alreadyThere, isDone };
}

async function filesIn(plan: SendPlan) {
  const all: { name: string; size: number; mode: number }[] = [];
  for await (const { kind, name, size, mode } of plan.entries()) {
    if (kind === 'file') all.push({ name, size, mode });
  }
  return all;
}

/** Removes at the place what is not in the plan, and what is there of another kind. */
async function removeOthers(plan: SendPlan, path: string, peer: Peer): Promise<void> {
  const kinds = new Map<string, string>();
  for await (const { name, kind } of plan.entries()) kinds.set(name, kind);
  const { entries } = await askTree(peer, path);
  const gone: string[] = [];
  for (const { name, kind } of entries) {
    if (gone.length > 0 && name.startsWith(`${gone.at(-1)}/`)) continue;
    if (kinds.get(name) === kind) continue;
    gone.push(name);
    await askRemoval(peer, path, name);
  }
}
