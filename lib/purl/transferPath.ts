import { resolve } from 'node:path';
import { rememberMissing } from '../host/madeFolders.ts';
import { dumps } from '../wire/pythonJson.ts';
import { askCopy } from './askCopy.ts';
import { type PurlFailure, transferFailure } from './failure.ts';
import { checkLocal } from './localCheck.ts';
import { receivePull } from './pull/receivePull.ts';
import { sendPush } from './push/sendPush.ts';
import { checkRemote } from './remoteCheck.ts';
import { shutDown } from './shutDown.ts';
import type { Outcome } from './talk.ts';
import type { TransferMessage } from './transferMessage.ts';
import type { Report, TransferOptions } from './transferOptions.ts';

interface Attempt {
  readonly report: Report;
  readonly failure?: PurlFailure;
}

/**
 * Carries a pushPath or pullPath out and reports everything in `stdout`: the way of a transfer through purl. First
 * both paths are checked, then content moves.
 */
export async function transferPath(
  message: TransferMessage,
  options: TransferOptions,
): Promise<Outcome> {
  const { report, failure: failed } = await attempt(message, options);
  const end = options.oneShot ? await shutDown(options.way) : undefined;
  const shutdown = end === undefined ? {} : { shutdown: end.report };
  const text = dumps({ stdout: { ...report, ...shutdown } });
  const failure = failed ?? end?.failure;
  return { what: 'transfer', text, ...(failure && { failure }) };
}

const NOT_DONE = 'No push/pull operation was performed! A filepath check failed!';

/** A transfer that does not come about leaves no folder here that was made for it. */
async function attempt(message: TransferMessage, options: TransferOptions): Promise<Attempt> {
  const folders = message.verb === 'pull' && message.createDir ? [resolve(message.localPath)] : [];
  const removeMade = rememberMissing({ folders, files: [] });
  const made = await carryOut(message, options);
  if (made.failure !== undefined) removeMade();
  return made;
}

async function carryOut(message: TransferMessage, options: TransferOptions): Promise<Attempt> {
  const { report: localCheck, failure: localFailure } = checkLocal(message);
  if (localFailure !== undefined) {
    const report = { localCheck, status: false, msg: NOT_DONE };
    return { report, failure: localFailure };
  }
  const remote = await checkRemote(message, options);
  const remoteCheck = remote.report;
  if ('failure' in remote) {
    const report = { localCheck, status: false, msg: NOT_DONE, remoteCheck };
    return { report, failure: remote.failure };
  }
  try {
    const move =
      message.copy !== undefined ? askCopy : message.verb === 'push' ? sendPush : receivePull;
    const { status, msg, report } = await move(message, remote, options);
    return { report: { localCheck, status, msg, remoteCheck, ...report } };
  } catch (error) {
    const failure = transferFailure(error, message.verb);
    const fault = { status: false, msg: failure.message };
    const operation = message.copy === undefined ? 'compress' : 'copyOp';
    return { report: { localCheck, ...fault, remoteCheck, [operation]: fault }, failure };
  }
}
