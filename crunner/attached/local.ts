// Not execa: loading it takes longer than a quick command (docs/decisions/0004).
import { type ChildProcess, spawn } from 'node:child_process';
import { constants as access, accessSync } from 'node:fs';
import { constants } from 'node:os';
import { messageOf, systemErrorCode } from '../../lib/errors.ts';
import { inheritedOpenFiles } from '../../lib/host/inherited.ts';
import { endTree, signalTree } from '../../lib/host/processTree.ts';
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
  /** Sends a signal to all that the part has started; no effect once it has ended, and its rest with it. */
  kill(signal: NodeJS.Signals): void;
  /** Ends what a part that was ended has left: resolves when that is done, as far as it can be. */
  endRest(graceMs: number): Promise<void>;
}

export interface StartedPart {
  /** Of the local process: the shell, or the ssh client. Also the number of its process group. */
  readonly pid: number;
  /** Of the remote shell, for a part that runs over ssh. */
  readonly remotePid?: number;
}

/** The variable that says to all processes of a job of crunner which one they belong to. */
const JOB_VARIABLE = 'JOB_OF_CRUNNER';

/** Runs one part in `/bin/sh`, as the leader of a session of its own. */
export function launchLocally(
  cmd: string,
  streams: RelayedStdio,
  where: Surroundings,
): AttachedPart {
  // No other part has it, on any host that may see its processes; Node takes 3 ms to load what makes random ones.
  const name = `${process.pid}-${process.hrtime.bigint()}`;
  const env = { ...(where.env ?? process.env), [JOB_VARIABLE]: name };
  let child: ChildProcess;
  let release: () => void = () => undefined;
  try {
    const shell = shellArguments(cmd);
    release = shell.release;
    const stdio = [...streams.stdio];
    child = spawn('/bin/sh', withLimits(shell.args), { ...where, env, detached: true, stdio });
  } catch (error) {
    release();
    streams.abandon();
    throw startError(error, where);
  }
  streams.release();
  child.once('exit', release).once('error', release);
  const started = spawned(child, where);
  started.catch(() => streams.finish()).catch(() => undefined); // its error is that of the start
  const ended = exitOf(child).then(async (returncode) => {
    await streams.finish();
    return returncode;
  });
  ended.catch(() => undefined); // whoever waits for it hears of it
  const marks = { variable: `${JOB_VARIABLE}=${name}` };
  let isResting = false;
  return {
    ...{ started, ended },
    kill: (signal) => {
      const { pid, exitCode, signalCode } = child;
      const hasEnded = exitCode !== null || signalCode !== null;
      if (pid !== undefined && (!hasEnded || isResting)) signalTree(pid, signal, marks);
    },
    endRest: async (graceMs) => {
      isResting = true;
      if (child.pid !== undefined) await endTree(child.pid, 'SIGTERM', graceMs, marks);
      isResting = false;
    },
  };
}

/** Node raises its own limit of open files when it starts: a shell takes that back, and then becomes the part's. */
function withLimits(args: readonly string[]): readonly string[] {
  const openFiles = inheritedOpenFiles();
  if (openFiles === undefined) return args;
  return ['-c', `ulimit -Sn ${openFiles}; exec /bin/sh "$@"`, '/bin/sh', ...args];
}

/** Node names the shell, which is there, when the folder is what cannot be used. */
function startError(error: unknown, { cwd }: Surroundings): unknown {
  if (cwd === undefined) return error;
  try {
    accessSync(`${cwd}/.`, access.X_OK);
    return error;
  } catch (cause) {
    const code = systemErrorCode(cause) ?? '';
    const why = WRONG_FOLDERS.get(code) ?? messageOf(cause);
    return Object.assign(new Error(`cannot work in ${cwd}: ${why}`, { cause: error }), { code });
  }
}

const WRONG_FOLDERS = new Map([
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'it is no folder'],
  ['EACCES', 'it may not be entered'],
]);

/** The pid, once the process runs. */
function spawned(child: ChildProcess, where: Surroundings): Promise<StartedPart> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(startError(error, where)));
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
