// Not execa: loading it takes longer than a quick command (docs/decisions/0004).
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { signalGroupOf } from '../../lib/host/processes.ts';
import { shellArguments } from '../command/shellArguments.ts';
import type { Surroundings } from '../command/surroundings.ts';
import type { RelayedStdio } from './relay.ts';

/** A part that was launched. */
export interface AttachedPart {
  /** Settles when the command runs; rejects when it cannot be started. */
  readonly started: Promise<StartedPart>;
  /**
   * The exit code, or minus the number of the signal that ended it; its output is where it shall be then. Await `started`
   * first. Rejects with the system's error when the output was not taken.
   */
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
export function launchLocally(
  cmd: string,
  streams: RelayedStdio,
  where: Surroundings,
): AttachedPart {
  let child: ChildProcess;
  let release: () => void = () => undefined;
  try {
    const shell = shellArguments(cmd);
    release = shell.release;
    const stdio = [...streams.stdio];
    child = spawn('/bin/sh', shell.args, { ...where, detached: true, stdio });
  } catch (error) {
    release();
    streams.abandon();
    throw error;
  }
  streams.release();
  child.once('exit', release).once('error', release);
  const started = spawned(child);
  started.catch(() => streams.finish()).catch(() => undefined); // its error is that of the start
  const ended = exitOf(child).then(async (returncode) => {
    await streams.finish();
    return returncode;
  });
  ended.catch(() => undefined); // whoever waits for it hears of it
  return {
    ...{ started, ended },
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
