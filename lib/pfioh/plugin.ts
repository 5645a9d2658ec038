import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOwnName } from '../transfer/names.ts';
import { timestamp } from '../transfer/report.ts';
import type { TransferMeta } from './meta.ts';
import type { JsonObject } from './reply.ts';

/**
 * Whether a request asks for a plugin's folders (`incoming`, `outgoing`) below a key. On OpenShift
 * the pods make them, so there the handling is off.
 */
export function isPlugin({ specialHandling, serviceMan }: TransferMeta): boolean {
  return specialHandling?.op === 'plugin' && serviceMan !== 'openshift';
}

/** Makes `incoming` below a key's folder and returns it. */
export function incomingFolder(keyFolder: string): string {
  const incoming = join(keyFolder, 'incoming');
  mkdirSync(incoming, { recursive: true });
  return incoming;
}

/** What pfioh 2 and later report of a push that asked for no handling. */
export function noHandling(): JsonObject {
  return { status: false, timestamp: timestamp() };
}

/** Makes `outgoing`, writable for whatever user the plugin runs as, and reports the folders. */
export function finishPush(keyFolder: string): JsonObject {
  const incomingPath = join(keyFolder, 'incoming');
  const outgoingPath = join(keyFolder, 'outgoing');
  mkdirSync(outgoingPath, { recursive: true });
  chmodSync(outgoingPath, 0o777);
  return {
    op: 'plugin',
    shareDir: keyFolder,
    // The original moves the content by way of a folder in /tmp; here it arrives in place.
    tmpPath: incomingPath,
    incomingPath,
    outgoingPath,
    status: true,
    timestamp: timestamp(),
  };
}

/** Whether a plugin left nothing in its `outgoing` folder. */
export function isEmptyFolder(folder: string): boolean {
  return readdirSync(folder).every(isOwnName);
}

/** What is sent in place of the output of a plugin that left none. */
export const NO_FILES_NAME = 'computeCreatedNoFiles.json';
export const NO_FILES_TEXT = JSON.stringify(
  { warning: 'The plugin ended without leaving a file in its outgoing folder.' },
  null,
  4,
);
