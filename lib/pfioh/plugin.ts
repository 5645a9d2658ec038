import { closeSync, constants, fchmodSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readableStamp } from '../host/stamps.ts';
import { isOwnName } from '../transfer/names.ts';
import { OpenFolder } from '../transfer/openFolder.ts';
import { pathError } from '../transfer/pathError.ts';
import { pathState, provideFolder } from '../transfer/pathState.ts';
import type { JsonObject } from './answer.ts';
import type { TransferMeta } from './meta.ts';
import type { Places } from './places.ts';

/**
 * Whether a request asks for a plugin's folders (`incoming`, `outgoing`) below a key. On OpenShift
 * the pods make them, so there the handling is off.
 */
export function isPlugin({ specialHandling, serviceMan }: TransferMeta): boolean {
  return specialHandling?.op === 'plugin' && serviceMan !== 'openshift';
}

/** Makes `incoming` below a key's folder and returns it. @throws PmanError */
export function incomingFolder(keyFolder: string, places: Places): string {
  const incoming = places.ownFolder(keyFolder, 'incoming');
  provideFolder(incoming);
  return incoming;
}

/** What pfioh 2 and later report of a push that asked for no handling. */
export function noHandling(): JsonObject {
  return { status: false, timestamp: readableStamp(Date.now()) };
}

/** Makes `outgoing`, writable for whatever user the plugin runs as, and reports the folders. @throws PmanError */
export function finishPush(keyFolder: string, places: Places): JsonObject {
  const incomingPath = join(keyFolder, 'incoming');
  const outgoingPath = places.ownFolder(keyFolder, 'outgoing');
  provideFolder(outgoingPath);
  openToAll(outgoingPath, places);
  return {
    op: 'plugin',
    shareDir: keyFolder,
    // The original moves the content by way of a folder in /tmp; here it arrives in place.
    tmpPath: incomingPath,
    incomingPath,
    outgoingPath,
    status: true,
    timestamp: readableStamp(Date.now()),
  };
}

/** Lets every user write in a folder, and in no other that a link put in its place leads to. */
function openToAll(folder: string, { followLinks, base }: Places): void {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const above = OpenFolder.above(folder, base);
  let fd: number | undefined;
  try {
    fd = openSync(above.way(folder), O_RDONLY | O_DIRECTORY | (followLinks ? 0 : O_NOFOLLOW));
    fchmodSync(fd, 0o777);
  } catch (cause) {
    throw pathError(folder, 'open to all users', cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
    above.close();
  }
}

/** What is sent in place of the output of a plugin that left none. */
const NO_FILES_NAME = 'computeCreatedNoFiles.json';
const NO_FILES_TEXT = JSON.stringify(
  { warning: 'The plugin ended without leaving a file in its outgoing folder.' },
  null,
  4,
);

/**
 * The folder that a plugin left its output in. One that it left empty gets a file that says so.
 * @throws PmanError
 */
export function outgoingFolder(keyFolder: string, places: Places): string {
  const outgoing = places.ownFolder(keyFolder, 'outgoing');
  if (pathState(outgoing).isdir && readdirSync(outgoing).every(isOwnName)) {
    // `wx`: never what a link of that name, made in this very moment, leads to.
    const held = OpenFolder.at(outgoing, places.base);
    try {
      writeFileSync(held.way(join(outgoing, NO_FILES_NAME)), NO_FILES_TEXT, { flag: 'wx' });
    } finally {
      held.close();
    }
  }
  return outgoing;
}
