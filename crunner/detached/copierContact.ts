import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { strangerAt } from '../../lib/host/peerUser.ts';
import { strangerWords } from '../../lib/host/strangers.ts';
import { connectTo, makeSocketPair } from './nativeSocket.ts';
import { copierSocket } from './runnerProtocol.ts';

const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);

/**
 * The copier of a spool that is there already.
 * @returns a socket to it; undefined when there is none that may be trusted
 * @throws the system's error when that cannot be found out
 */
export function findCopier(spool: string): number | undefined {
  const path = copierSocket(spool);
  try {
    const fd = connectTo(path);
    const stranger = strangerAt(fd);
    if (stranger === undefined) return fd;
    // As if nobody were there: it is given no pipe, and a copier of our own takes the name.
    closeSync(fd);
    const words = strangerWords(stranger, path);
    if (words !== undefined) console.error(words);
    return undefined;
  } catch (error) {
    if (NOBODY.has(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Starts a copier for a spool, which outlives this process.
 * @param program default: the one of this package
 * @returns a socket to it
 * @throws the system's error when it cannot be started
 */
export function startCopier(spool: string, program = programFile()): number {
  const [ours, its] = makeSocketPair();
  let copier: ChildProcess;
  try {
    copier = spawn(process.execPath, [program, spool], {
      ...{ detached: true, stdio: ['ignore', 'ignore', 'inherit', its] },
    });
  } catch (error) {
    closeSync(ours);
    throw error;
  } finally {
    closeSync(its);
  }
  copier.on('error', (error) => console.error(`no copier of outputs: ${messageOf(error)}`));
  copier.unref();
  return ours;
}

/** Beside this file when that is compiled; of the checkout's build when it is not. */
function programFile(): string {
  const beside = fileURLToPath(new URL('./outputCopierProcess.cjs', import.meta.url));
  if (existsSync(beside)) return beside;
  return fileURLToPath(new URL('../../dist/bin/outputCopierProcess.cjs', import.meta.url));
}
