import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
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
  provideFolder(incoming, places.base);
  return incoming;
}

/** Holds a folder that the server itself makes; in a store it is no link, also when it has just become one. @throws PmanError */
export function holdOwnFolder(folder: string, { base }: Places): OpenFolder {
  return base === undefined ? OpenFolder.at(folder, undefined) : OpenFolder.real(folder, base);
}

/** What pfioh 2 and later report of a push that asked for no handling. */
export function noHandling(): JsonObject {
  return { status: false, timestamp: readableStamp(Date.now()) };
}

/** Makes `outgoing`, writable for whatever user the plugin runs as, and reports the folders. @throws PmanError */
export function finishPush(keyFolder: string, places: Places): JsonObject {
  const incomingPath = join(keyFolder, 'incoming');
  const outgoingPath = places.ownFolder(keyFolder, 'outgoing');
  provideFolder(outgoingPath, places.base);
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
function openToAll(folder: string, places: Places): void {
  const held = holdOwnFolder(folder, places);
  try {
    chmodSync(held.itself, 0o777);
  } catch (cause) {
    throw pathError(folder, 'open to all users', cause);
  } finally {
    held.close();
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
  if (!pathState(outgoing).isdir) return outgoing;
  const held = holdOwnFolder(outgoing, places);
  try {
    if (!readdirSync(held.itself).every(isOwnName)) return outgoing;
    // `wx`: never what a link of that name, made in this very moment, leads to.
    writeFileSync(held.way(join(outgoing, NO_FILES_NAME)), NO_FILES_TEXT, { flag: 'wx' });
  } finally {
    held.close();
  }
  return outgoing;
}
