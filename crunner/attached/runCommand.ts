import { onAbort } from '../../lib/onAbort.ts';
import type { Surroundings } from '../command/surroundings.ts';
import type { SshConnection } from '../ssh/ssh.ts';
import type { Upload } from '../ssh/sshUpload.ts';
import { type AttachedPart, launchLocally, type StartedPart } from './local.ts';
import { relayed } from './relay.ts';
import type { PartStdio } from './stdio.ts';

export type { PartStdio, StreamTarget } from './stdio.ts';

export interface RunOptions extends Surroundings {
  /** Cut the line at its top-level `;` and run each part in a shell of its own. Default: one part. */
  readonly pipeline?: boolean;
  /** Run the parts on another host. */
  readonly ssh?: SshConnection;
  /** The streams of each part. Default: no stdin, and this process's stdout and stderr. */
  readonly stdio?: (part: number) => PartStdio;
  /** Ends the run: as `stop`. */
  readonly signal?: AbortSignal;
  /** How long a stopped part may take to end before it is killed. Default 5000; Infinity: not killed. */
  readonly graceMs?: number;
}

export interface StartEvent extends StartedPart {
  readonly type: 'start';
  /** The part's place in the line, from 0. */
  readonly part: number;
  readonly cmd: string;
  readonly startedAt: Date;
}

export interface EndEvent extends Omit<StartEvent, 'type'> {
  readonly type: 'end';
  readonly endedAt: Date;
  /** The exit code, or minus the number of the signal that ended the part. */
  readonly returncode: number;
}

export type RunEvent = StartEvent | EndEvent;

export interface Run extends AsyncIterable<RunEvent, void, void> {
  /** Sends a signal to the process group of the part that runs, here or on the remote host. */
  kill(signal: NodeJS.Signals): void;
  /**
   * Starts no further part, and ends the one that runs: with this signal (default SIGTERM), then with
   * SIGKILL after the grace time. Only the first call has an effect.
   */
  stop(signal?: NodeJS.Signals): void;
}

/**
 * Runs a command line, part after part, whatever their exit codes. The work begins with the
 * iteration and goes on only while it is iterated; it can be iterated once. Leaving the loop early
 * stops the run and waits for the part to end.
 *
 * A command that fails is an event; the iteration throws when a part cannot be started, or when
 * ssh fails (`SshError`).
 */
export function crunner(commandLine: string, options: RunOptions = {}): Run {
  const {
    signal,
    graceMs = 5000,
    stdio = () => ['ignore', 'inherit', 'inherit'] as const,
  } = options;
  let running: (Pick<AttachedPart, 'kill' | 'ended'> & Partial<AttachedPart>) | undefined;
  let stopped = false;
  let stoppedBy: NodeJS.Signals | undefined;
  const restGraceMs = Math.min(graceMs, REST_GRACE_MS);
  let killTimer: NodeJS.Timeout | undefined;

  const stop = (how: NodeJS.Signals = 'SIGTERM') => {
    if (stopped) return;
    stopped = true;
    stoppedBy = how;
    if (running === undefined) return;
    running.kill(how);
    if (Number.isFinite(graceMs)) {
      killTimer = setTimeout(() => running?.kill('SIGKILL'), graceMs);
    }
  };
  const forget = (error: unknown): undefined => {
    running = undefined; // it never ran: there is nothing to end or to wait for
    if (!stopped) throw error;
  };
  /** The command as its host can take it. */
  const carry = async (cmd: string): Promise<string> => {
    const upload = options.ssh === undefined ? undefined : await uploadFor(cmd, options);
    if (upload === undefined) return cmd;
    running = {
      kill: upload.kill,
      ended: upload.loader.then(
        () => 0,
        () => 0,
      ),
    };
    const loader = await upload.loader;
    running = undefined;
    return loader;
  };
  const abort = () => stop();
  /** Of a part that was stopped. What ignores SIGHUP was told to outlive it (`nohup`). */
  const endRest = async () => {
    if (stopped && stoppedBy !== 'SIGHUP') await running?.endRest?.(restGraceMs);
  };

  async function* events(): AsyncGenerator<RunEvent, void, void> {
    if (signal?.aborted) return;
    const unheard = onAbort(signal, abort);
    try {
      const launch = await launcher(options);
      const parts = await partsOf(commandLine, options.pipeline === true);
      for (const [part, cmd] of parts.entries()) {
        if (stopped) return;
        const startedAt = new Date();
        const carried = await carry(cmd).catch(forget);
        if (carried === undefined || stopped) return;
        const ready = await launch(stdio(part));
        if (stopped) return ready.abandon();
        const launched = ready.start(carried);
        running = launched;
        const started = await launched.started.catch(forget);
        if (started === undefined) return;
        const begun = { part, cmd, startedAt, ...started };
        yield { type: 'start', ...begun };
        const returncode = await launched.ended;
        await endRest();
        running = undefined;
        yield { type: 'end', ...begun, endedAt: new Date(), returncode };
      }
    } finally {
      stop();
      await running?.ended.catch(() => undefined); // after an early end of the loop
      await endRest();
      clearTimeout(killTimer);
      unheard();
    }
  }

  return {
    kill: (name) => running?.kill(name),
    stop,
    [Symbol.asyncIterator]: events,
  };
}

/** A part whose streams are prepared: it is either started, or abandoned. */
interface ReadyPart {
  start(cmd: string): AttachedPart;
  abandon(): void;
}

/** How long what an ended part has left may take to end before it is killed, at most, in milliseconds. */
const REST_GRACE_MS = 5000;

type Launch = (stdio: PartStdio) => Promise<ReadyPart>;

/** The parser and the ssh client are loaded by the runs that need them: a quick command starts quickly. */
async function partsOf(line: string, pipeline: boolean): Promise<readonly string[]> {
  if (!pipeline || !line.includes(';')) return [line];
  const { splitIntoParts } = await import('../command/split.ts');
  return splitIntoParts(line);
}

/** Puts a command on its host that is too long to be carried with the connection; undefined when it is not. */
async function uploadFor(cmd: string, options: RunOptions): Promise<Upload | undefined> {
  const { isCarried } = await import('../ssh/sshCommand.ts');
  if (options.ssh === undefined || isCarried(cmd)) return undefined;
  const { uploadCommand } = await import('../ssh/sshUpload.ts');
  return uploadCommand(options.ssh, cmd, whereOf(options));
}

function whereOf({ cwd, env }: RunOptions): Surroundings {
  return { ...(cwd !== undefined && { cwd }), ...(env !== undefined && { env }) };
}

async function launcher(options: RunOptions): Promise<Launch> {
  const { ssh } = options;
  const where = whereOf(options);
  if (ssh === undefined) {
    return async (stdio) => {
      const streams = await relayed(stdio);
      return {
        start: (cmd) => launchLocally(cmd, streams, where),
        abandon: streams.abandon,
      };
    };
  }
  const { launchOverSsh } = await import('./sshLaunch.ts');
  return async (stdio) => ({
    start: (cmd) => launchOverSsh(ssh, cmd, stdio, where),
    abandon: () => undefined,
  });
}
