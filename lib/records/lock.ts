import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { messageOf, PmanError, systemErrorCode } from '../errors.ts';
import type { lockByIdentity } from '../host/folderLock.ts';
import { holdFolder } from '../host/heldFolders.ts';
import { PRIVATE } from '../host/rights.ts';
import { socketPath } from '../host/socketPath.ts';
import { strangerCheck } from '../host/strangers.ts';

/**
 * Takes a database for this process alone: the folder of its records by its identity, so that no link, bind mount or new name
 * of it leads a second process there; and the folder beside it by a socket, also where the system or the file system knows no
 * locks of the first kind.
 * Both are held from then on (heldFolders.ts): once moved they are not made anew by this process. The folder of records is made
 * anew when it was removed, and taken again.
 * @param mode of the folder of records
 * @throws PmanError conflict when another process has one of them
 */
export async function lockDatabase(
  folder: string,
  workFolder: string,
  mode: number,
): Promise<{ release(): void }> {
  const byIdentity = await identityLock();
  let unlock: (() => void) | undefined;
  const take = () => {
    const next = byIdentity?.(folder);
    if (next === 'taken') return false;
    unlock?.();
    unlock = next;
    return true;
  };
  if (!take()) throw inUse(folder);
  try {
    const lock = await lockFolder(workFolder);
    const letGo = [holdFolder(folder, { mode, take }), holdFolder(workFolder)];
    return {
      release: () => {
        for (const each of letGo) each();
        lock.release();
        unlock?.();
      },
    };
  } catch (error) {
    unlock?.();
    throw error;
  }
}

/** Undefined where the C library cannot be called: there is no binary of koffi for every machine. */
async function identityLock(): Promise<typeof lockByIdentity | undefined> {
  try {
    return (await import('../host/folderLock.ts')).lockByIdentity;
  } catch {
    return undefined;
  }
}

const inUse = (folder: string) =>
  new PmanError('conflict', `the database is in use: another pman works in ${folder}`, {
    hint: 'stop it, or give this one another --DBpath',
  });

const inUseByStranger = (folder: string, socket: string, user: number) =>
  new PmanError(
    'conflict',
    `the database is in use: a process of another user (uid ${user}) has locked ${folder}`,
    { hint: `stop it; it listens at ${socket}` },
  );

/**
 * Takes a folder for this process alone, by a Unix socket in it: it answers while its owner lives, however that ends.
 * Of two processes that want it at once, one gets it: the socket answers before it gets its name, which link(2) gives
 * once only. One of another user is told of by name: it may be a pman of that user, so its socket is left alone.
 * @throws PmanError conflict when another process has the folder
 */
export async function lockFolder(folder: string): Promise<{ release(): void }> {
  const path = socketPath(folder, 'pman');
  const draft = draftOf(path);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = 'name a folder that pman may write with --DBpath';
      const message = `cannot lock the folder ${folder}: ${messageOf(cause)}`;
      reject(new PmanError('storage', message, { hint, cause }));
    });
    server.listen(draft, () => {
      chmodSync(draft, PRIVATE.file);
      resolve();
    });
  });
  server.unref();
  try {
    while (!isLinked(draft, path)) {
      const owner = await ownerOf(path);
      if (owner === 'own') throw inUse(folder);
      if (owner !== undefined) throw inUseByStranger(folder, path, owner.stranger);
    }
  } catch (error) {
    server.close();
    throw error;
  }
  rmSync(draft, { force: true });
  const own = inodeOf(path);
  return {
    release: () => {
      // The folder may have been moved: the socket there is that of another process by now.
      if (own !== undefined && inodeOf(path) === own) rmSync(path, { force: true });
      server.close();
    },
  };
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino;
  } catch (error) {
    // A part of the way is a file by now.
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Seven bytes more than the path: a socket's may have 107. */
const draftOf = (path: string) => `${path}.${randomBytes(3).toString('hex')}`;

function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who answers at a socket: a process of this user or of root, or one of another user. */
type Owner = 'own' | { readonly stranger: number };

/** The living owner of the socket; that of a dead one is removed. */
async function ownerOf(path: string): Promise<Owner | undefined> {
  const owner = await whoAnswers(path);
  if (owner !== undefined) return owner;
  const aside = draftOf(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined; // somebody else has removed it
    throw error;
  }
  // Somebody may have put a living one there in between: it goes back.
  const late = await whoAnswers(aside);
  if (late !== undefined) isLinked(aside, path);
  rmSync(aside, { force: true });
  return late;
}

async function whoAnswers(path: string): Promise<Owner | undefined> {
  const strangerAt = await strangerCheck();
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      const stranger = strangerAt(socket);
      socket.destroy();
      resolve(stranger === undefined ? 'own' : { stranger });
    });
    socket.once('error', (error) => {
      const code = systemErrorCode(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
  });
}
