import { lstatSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { inTurns } from '../concurrency/turns.ts';
import { BadRequestError, PmanError } from '../errors.ts';
import { isOwnName } from '../transfer/names.ts';
import { OpenFolder } from '../transfer/openFolder.ts';
import { pathError } from '../transfer/pathError.ts';
import { pathState } from '../transfer/pathState.ts';
import { removeTree } from '../transfer/removeTree.ts';
import { VERSION } from '../version.ts';
import { cutText } from '../wire/cut.ts';
import { aboutServer } from './aboutServer.ts';
import { type JsonObject, ReportedError } from './answer.ts';
import { chunks } from './chunks.ts';
import { digests } from './digests.ts';
import { listTree } from './listTree.ts';
import { namesKey, placeIn } from './messagePlace.ts';
import type { ControlMessage } from './meta.ts';
import type { Places } from './places.ts';

export interface ControlContext {
  readonly places: Places;
  readonly userAgent: string;
  /** Given when the server is stopped. */
  readonly signal: AbortSignal;
}

type Entry = readonly [name: string, is: JsonObject];
type Verb = (meta: unknown, context: ControlContext) => JsonObject | Promise<JsonObject>;

const VERBS = new Map<string, Verb>([
  ['hello', (meta, { userAgent }) => ({ stdout: aboutServer(asObject(meta), userAgent) })],
  ['internalctl', internalctl],
  ['ls', list],
  ['tree', (meta, { places }) => listTree(meta, places)],
  ['digests', (meta, { places, signal }) => digests(meta, places, signal)],
  ['chunks', (meta, { places, signal }) => chunks(meta, places, signal)],
  ['rmtree', remove],
]);

/** Carries out a control message of pfioh 2 and later. @throws PmanError */
export async function control(
  { action, meta }: ControlMessage,
  context: ControlContext,
): Promise<JsonObject> {
  const verb = VERBS.get(action);
  if (verb === undefined) {
    throw new BadRequestError(`this pfioh has no action ${JSON.stringify(cutText(action, 200))}`, {
      hint: `the actions are pushPath, pullPath, ${[...VERBS.keys()].join(', ')}`,
    });
  }
  if (meta === undefined) {
    throw new BadRequestError(`${action}: meta is missing`, {
      hint: `send {"action": "${action}", "meta": {…}}`,
    });
  }
  return verb(meta, context);
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const internalctlSchema = z.looseObject({ var: z.string(), compute: z.string().optional() });

function internalctl(meta: unknown, { places }: ControlContext): JsonObject {
  const { data } = internalctlSchema.safeParse(meta);
  if (data === undefined) throw new BadRequestError('internalctl wants meta.var');
  const { var: name, compute } = data;
  if ('set' in data) {
    throw new PmanError('forbidden', `refused to set ${name}: it is fixed when pfioh starts`, {
      hint: 'start pfioh with --storeBase',
    });
  }
  const known: JsonObject = { storeBase: places.storeBase, name: 'pfioh', version: VERSION };
  if (Object.hasOwn(known, name) && 'get' in data)
    return { d_ret: { [name]: known[name] }, status: true };
  if (name === 'key2address' && compute !== undefined) {
    return { d_ret: { key2address: places.key(compute) }, status: true };
  }
  const names = Object.keys(known).join(', ');
  throw new ReportedError(
    new BadRequestError(`internalctl knows ${names} (get) and key2address (compute), not ${name}`),
    { d_ret: {} },
  );
}

async function list(meta: unknown, { places }: ControlContext): Promise<JsonObject> {
  const folder = placeIn(meta, places);
  const entries = await entriesIn(folder, places);
  return {
    status: true,
    msg: `Successful scandir on ${folder}`,
    d_ls: Object.fromEntries(entries),
  };
}

/**
 * What lies in a folder, looked at in turns with other work; in a store of that very folder, whatever takes its place
 * meanwhile.
 */
async function entriesIn(folder: string, { base }: Places): Promise<readonly Entry[]> {
  let held: OpenFolder | undefined;
  try {
    const open = OpenFolder.at(folder, base);
    held = open;
    return await inTurns(described(open, await readdir(open.itself)));
  } catch (error) {
    const cause = error instanceof PmanError ? error.cause : error;
    if (cause === undefined) throw error;
    throw new ReportedError(pathError(folder, 'list', cause), { status: false, msg: '', d_ls: {} });
  } finally {
    held?.close();
  }
}

function* described(
  folder: OpenFolder,
  names: readonly string[],
): Generator<void, readonly Entry[], void> {
  const entries: Entry[] = [];
  for (const name of names) {
    yield;
    if (isOwnName(name)) continue;
    const path = join(folder.path, name);
    const stats = lstatSync(folder.way(path), { throwIfNoEntry: false });
    if (stats !== undefined) entries.push([name, describe(path, stats)]);
  }
  return entries;
}

function describe(path: string, all: Stats): JsonObject {
  const { uid, gid, size, mtimeMs, ctimeMs, atimeMs, ...stats } = all;
  const isFolder = (stats.mode & 0o170000) === 0o040000;
  const isLink = (stats.mode & 0o170000) === 0o120000;
  return {
    type: isFolder ? 'dir' : isLink ? 'symlink' : 'file',
    path,
    uid,
    gid,
    size,
    mtime: mtimeMs / 1000,
    ctime: ctimeMs / 1000,
    atime: atimeMs / 1000,
  };
}

async function remove(meta: unknown, { places }: ControlContext): Promise<JsonObject> {
  const folder = placeIn(meta, places);
  if (!namesKey(meta) && places.base === undefined) {
    throw new PmanError('forbidden', `refused to remove ${folder}: this pfioh has no store`, {
      hint: 'start pfioh with --storeBase; without it only keys can be removed',
    });
  }
  if (isStore(folder, places))
    throw new PmanError('forbidden', 'refused to remove the store itself');
  if (!pathState(folder).status) {
    throw new PmanError(
      'not_found',
      `Could not remove tree ${folder}. It is not there. Try using action \`ls\``,
    );
  }
  try {
    await removeTree(folder, places.base);
  } catch (cause) {
    if (cause instanceof PmanError) throw cause;
    throw pathError(folder, 'remove', cause);
  }
  return { status: true, msg: `Successfully removed tree ${folder}` };
}

function isStore(folder: string, places: Places): boolean {
  return folder.replace(/\/+$/, '') === places.storeBase.replace(/\/+$/, '');
}
