// Not execa: loading it takes longer than a quick command (docs/decisions/0004).
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { signalGroupOf } from '../../lib/host/processes.ts';
import { shellArguments } from '../command/shellArguments.ts';
import type { Surroundings } from '../command/surroundings.ts';

/** Where a stream of a part goes: a file descriptor of this process, this process's own, or nowhere. */
export type StreamTarget = number | 'inherit' | 'ignore';

/** stdin, stdout and stderr of a part. */
export type PartStdio = readonly [StreamTarget, StreamTarget, StreamTarget];

/** A part that was launched. */
export interface AttachedPart {
  /** Settles when the command runs; rejects when it cannot be started. */
  readonly started: Promise<StartedPart>;
  /** The exit code, or minus the number of the signal that ended it. Await `started` first. */
  readonly ended: Promise<number>;
  /** Sends a signal to the part's whole process group; no effect once it has ended. */
  kill(signal: NodeJS.Signals): void;
}

export interface StartedPart {
  /** Of the local process: the shell, or the ssh client. Also the number of its process group. */
  readonly pid: number;
  /** Of the remote shell, for a part that runs over ssh. */
  readonly remotePid?: number;
}

/** Runs one part in `/bin/sh`, as the leader of a session of its own. */
export function launchLocally(cmd: string, stdio: PartStdio, where: Surroundings): AttachedPart {
  const { args, release } = shellArguments(cmd);
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', args, { ...where, detached: true, stdio: [...stdio] });
  } catch (error) {
    release();
    throw error;
  }
  child.once('exit', release).once('error', release);
  return {
    started: spawned(child),
    ended: exitOf(child),
    kill: (signal) => signalGroupOf(child, signal),
  };
}

/** The pid, once the process runs. */
function spawned(child: ChildProcess): Promise<StartedPart> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      if (child.pid !== undefined) resolve({ pid: child.pid });
    });
  });
}

/** The exit code, or minus the signal's number. Never settles for a process that did not start. */
function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? (signal === null ? 0 : -constants.signals[signal]));
    });
  });
}
